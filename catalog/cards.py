"""An opportunity as a JSON card, built by PostgreSQL: ten cards cost one statement and no Python object. A test holds each form equal to
what its serializer says."""

from __future__ import annotations

# Over `row` (the opportunity) and `category`. Skills by name, as the serializers order them.
RECOMMENDATION_CARD = """json_build_object(
    'id', row.id, 'kind', row.kind, 'title', row.title, 'description', row.description, 'organisation', row.organisation,
    'location', row.location, 'remote', row.is_remote, 'url', row.url, 'language', row.language, 'tags', row.tags,
    'starts_on', row.starts_on, 'ends_on', row.ends_on, 'deadline', row.deadline_on, 'category', category.slug,
    'skills', coalesce((
        SELECT json_agg(skill.name ORDER BY skill.name)
        FROM catalog_opportunity_skills AS link JOIN catalog_skill AS skill ON skill.id = link.skill_id
        WHERE link.opportunity_id = row.id
    ), '[]'), 'source', row.source
)::text"""
