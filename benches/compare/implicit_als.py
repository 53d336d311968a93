"""The implicit library's ALS on a split: one line of JSON with seconds, NDCG@10, HR@10 and peak memory.

128 factors, regularisation 10, alpha 5, 15 iterations, one thread. A learner is scored by the factors that
the fit gave her. Ranking as Stoa's evaluation has it: the whole catalogue without what the learner has;
ties share their mean rank.
"""

import json
import resource
import sys
import time

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix


def read(name):
    rows = np.loadtxt(f"{sys.argv[1]}/{name}.tsv", delimiter="\t", usecols=(0, 1), dtype=np.int64, ndmin=2)
    return rows[:, 0], rows[:, 1]


with open(f"{sys.argv[1]}/item_ids.tsv", encoding="utf-8") as file:
    items = sum(1 for line in file if line.strip())
learners, taken = read("trainval")
askers, answers = read("test_target")
count = int(max(learners.max(), askers.max())) + 1
matrix = csr_matrix((np.ones(len(learners), dtype=np.float32), (learners, taken)), shape=(count, items))
matrix.data[:] = 1.0

began = time.perf_counter()
model = AlternatingLeastSquares(
    factors=128, regularization=10.0, alpha=5.0, iterations=15, num_threads=1, random_state=42
)
model.fit(matrix, show_progress=False)
seconds = time.perf_counter() - began

gains, hits = [], []
for learner, answer in zip(askers, answers):
    scores = model.item_factors @ model.user_factors[learner]
    scores[matrix[learner].indices] = -np.inf
    above = np.count_nonzero(scores > scores[answer])
    equal = np.count_nonzero(scores == scores[answer])
    rank = 1 + above + (equal - 1) / 2
    gains.append(1 / np.log2(1 + rank) if rank <= 10 else 0.0)
    hits.append(rank <= 10)
print(
    json.dumps(
        {
            "method": "implicit ALS (Python)",
            "fit_seconds": seconds,
            "ndcg_10": float(np.mean(gains)),
            "hr_10": float(np.mean(hits)),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
