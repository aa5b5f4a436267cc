from catalog.models.corpus import CorpusStatistics, Lexeme
from catalog.models.imports import ImportRefusal, ImportRun
from catalog.models.opportunities import Opportunity
from catalog.models.organisations import Organisation, OrganisationMember
from catalog.models.reactions import Reaction
from catalog.models.reviews import PostingReview
from catalog.models.searches import SavedSearch
from catalog.models.terms import Category, Occupation, Skill

__all__ = (
    "Category",
    "CorpusStatistics",
    "ImportRefusal",
    "ImportRun",
    "Lexeme",
    "Occupation",
    "Opportunity",
    "Organisation",
    "OrganisationMember",
    "PostingReview",
    "Reaction",
    "SavedSearch",
    "Skill",
)
