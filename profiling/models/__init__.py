from profiling.models.people import Answer, Claim, DistressFlag, Interview, Profile, Recording, Suggestion
from profiling.models.recommending import Ranker, Serving

__all__ = ("Answer", "Claim", "DistressFlag", "Interview", "Profile", "Ranker", "Recording", "Serving", "Suggestion")
