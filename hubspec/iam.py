"""IAM policies with the least that hubspec needs, made from the table of its calls. Pure: nothing is asked of AWS."""

from __future__ import annotations

from typing import Any

from hubspec.cluster.calls import CALLS, Need, Scope

LOG_BUCKET, LOG_PREFIX = "LOG-BUCKET", "LOG-PREFIX"
"""What a reader replaces with the bucket and the prefix of the cluster's log URI."""
SCRATCH = "SCRATCH-BUCKET/SCRATCH-PREFIX"
"""The same, with where scripts may be put for a moment."""
RESULTS_BUCKET, RESULTS_PREFIX = "RESULTS-BUCKET", "RESULTS-PREFIX"
"""The same, of `--results`."""
WHERE: dict[Scope, tuple[str, str | list[str]]] = {
    "cluster": ("Clusters", "arn:aws:elasticmapreduce:*:*:cluster/*"),
    "any": ("Account", "*"),
    "security group": ("SecurityGroups", "arn:aws:ec2:*:*:security-group/*"),
    "command": ("Commands", ["arn:aws:ssm:*::document/AWS-RunShellScript", "arn:aws:ec2:*:*:instance/*"]),
    "logs": ("Logs", f"arn:aws:s3:::{LOG_BUCKET}/{LOG_PREFIX}*"),
    "scratch": ("Scratch", f"arn:aws:s3:::{SCRATCH}*"),
    "results bucket": ("ResultsBucket", f"arn:aws:s3:::{RESULTS_BUCKET}"),
}
"""Scope of a call -> id of its statement, and the ARN. The actions of `any` know no resource (Service Authorization
Reference), but for ec2:GetManagedPrefixListEntries, whose lists may belong to AWS."""
MISSING_LOGS = {
    "Sid": "LogsThatAreNotThereYet",
    "Effect": "Allow",
    "Action": ["s3:ListBucket"],
    "Resource": f"arn:aws:s3:::{LOG_BUCKET}",
    "Condition": {"StringLike": {"s3:prefix": f"{LOG_PREFIX}*"}},
}
"""Not called: without it S3 answers 403 and not 404 for a log that is not there yet; it takes the key for the prefix."""


LONG_ANSWERS = "s3:GetObject"
"""What the ssm door does at the scratch place too: SSM brings an answer there that is longer than what it tells itself."""
_RESULTS = f"arn:aws:s3:::{RESULTS_BUCKET}/{RESULTS_PREFIX}"
RESULTS: list[dict[str, Any]] = [
    {
        "Sid": "ResultsAreBrought",
        "Effect": "Allow",
        "Action": ["s3:PutObject"],
        "Resource": [f"{_RESULTS}{name}" for name in ("runs/*", "history/*", "latest.json")],
    },
    {
        "Sid": "HistoryIsRead",
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Resource": [f"{_RESULTS}{name}" for name in ("runs/*/manifest.json", "history/*", "latest.json")],
    },
    {
        "Sid": "HistoryIsListed",
        "Effect": "Allow",
        "Action": ["s3:ListBucket"],
        "Resource": f"arn:aws:s3:::{RESULTS_BUCKET}",
        "Condition": {"StringLike": {"s3:prefix": f"{RESULTS_PREFIX}*"}},
    },
]
"""Calls that others make elsewhere, at the place of `--results`. No right to remove: what is there is proof."""


def policy(need: Need) -> dict[str, Any]:
    """Return the policy document for one use; each allows what an audit needs, but for 'results', which stands beside them."""
    statements: list[dict[str, Any]] = []
    for scope, (sid, resource) in WHERE.items():
        actions = sorted({call.action for call in CALLS.values() if call.scope == scope and need in call.needs})
        if scope == "scratch" and need == "door-ssm":
            actions = sorted([*actions, LONG_ANSWERS])
        if actions:
            statements.append({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource})
        if actions and scope == "logs":
            statements.append(MISSING_LOGS)
        if actions and scope == "results bucket":
            statements += RESULTS
    return {"Version": "2012-10-17", "Statement": statements}
