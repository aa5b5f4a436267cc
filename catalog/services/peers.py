"""What others do with the same texts, to stand beside the product's own figures: TF-IDF, BM25, and a plain vector of each text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from ai.services.text import embed
from catalog.lexical import K1, B

_BATCH = 256
# From a query to the similarity of every document.
Peer = Callable[[str], numpy.ndarray]


def peers_of(texts: Sequence[str]) -> dict[str, Peer]:
    """The peers, fitted to the documents."""
    return {"tfidf": _tfidf(texts), "bm25": _bm25(texts), "plain_vector": _plain_vector(texts)}


def _tfidf(texts: Sequence[str]) -> Peer:
    # Costs a second to import, and only an evaluation needs it.
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(stop_words="english", sublinear_tf=True)
    documents = vectorizer.fit_transform(texts)
    return lambda query: (documents @ vectorizer.transform([query]).T).toarray().ravel()


def _bm25(texts: Sequence[str]) -> Peer:
    """With Lucene's idf, over words as scikit-learn splits them, without stemming."""
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(stop_words="english")
    counts: Any = vectorizer.fit_transform(texts).astype(float).tocsr()
    lengths = numpy.asarray(counts.sum(axis=1)).ravel()
    frequencies = numpy.bincount(counts.indices, minlength=counts.shape[1])
    idf = numpy.log(1 + (len(texts) - frequencies + 0.5) / (frequencies + 0.5))
    norms = numpy.repeat(K1 * (1 - B + B * lengths / (lengths.mean() or 1.0)), numpy.diff(counts.indptr))
    counts.data = counts.data * (K1 + 1) / (counts.data + norms) * idf[counts.indices]
    return lambda query: (counts @ (vectorizer.transform([query]) > 0).astype(float).T).toarray().ravel()


def _plain_vector(texts: Sequence[str]) -> Peer:
    """The same model as the product's, one vector a text and one a query."""
    parts = [embed(texts=list(texts[start : start + _BATCH]), purpose="catalog.evaluate").vectors for start in range(0, len(texts), _BATCH)]
    documents = numpy.concatenate([numpy.asarray(part) for part in parts])
    return lambda query: documents @ numpy.asarray(embed(texts=[query], purpose="catalog.evaluate").vectors[0])
