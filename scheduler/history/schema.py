"""The tables of the history, and the steps from each version of them to the next."""

from __future__ import annotations

# Each step is run once, in order; how many were run is kept in the file as its `user_version`.
# What is here is never changed: what is to be different comes in a further step.
_FIRST = """
CREATE TABLE memory (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    job_id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL,
    target_repo TEXT NOT NULL,
    arch TEXT NOT NULL,
    pkgbase TEXT NOT NULL,
    source_repo TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    build_class TEXT NOT NULL,
    outcome INTEGER NOT NULL,
    failure TEXT,
    reason TEXT NOT NULL,
    request_id TEXT NOT NULL,
    commit_reference TEXT NOT NULL,
    tree TEXT NOT NULL,
    worker TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    submitted REAL NOT NULL,
    started REAL NOT NULL,
    landed REAL NOT NULL,
    finished REAL NOT NULL,
    peak_memory INTEGER,
    cpu_seconds REAL,
    generation TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_of_identity ON jobs (identity, job_id);
CREATE INDEX jobs_by_outcome ON jobs (outcome, job_id);
CREATE INDEX builds_of_identity ON jobs (identity, job_id, started, landed)
    WHERE outcome = 0 AND started > 0 AND landed > 0;
CREATE INDEX jobs_by_end ON jobs (finished);
CREATE INDEX jobs_by_pkgbase ON jobs (pkgbase, job_id);

CREATE TABLE files (
    job_id INTEGER NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    filename TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (job_id, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE logs (
    job_id INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    identity TEXT NOT NULL,
    started REAL NOT NULL,
    size INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    path TEXT NOT NULL UNIQUE,
    PRIMARY KEY (job_id, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX logs_of_identity ON logs (identity, started);
CREATE INDEX logs_by_start ON logs (started);
"""

STEPS: tuple[str, ...] = (_FIRST,)
