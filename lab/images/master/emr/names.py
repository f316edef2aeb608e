"""Which AWS call a request is, under the name that an IAM policy gives it."""

from __future__ import annotations

import io
import re
from typing import Any, NamedTuple
from urllib.parse import parse_qs

PREFIXES = {"ElasticMapReduce": "elasticmapreduce", "AmazonSSM": "ssm"}
SCOPE = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/")
# Sub-resources of a bucket or object in S3's REST API, and the middle of the action's name.
PARTS = {
    "location": "BucketLocation",
    "encryption": "EncryptionConfiguration",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "versioning": "BucketVersioning",
    "policyStatus": "BucketPolicyStatus",
    "policy": "BucketPolicy",
    "logging": "BucketLogging",
    "lifecycle": "LifecycleConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "acl": "BucketAcl",
    "tagging": "BucketTagging",
}


class Call(NamedTuple):
    """One call: `elasticmapreduce`, `ListSteps`, its protocol (json, ec2, s3, query) and its region."""

    service: str
    action: str
    protocol: str
    region: str

    @property
    def name(self) -> str:
        """Answer the name in a policy: elasticmapreduce:ListSteps."""
        return f"{self.service}:{self.action}"


def name(environ: dict[str, Any], default_region: str) -> Call | None:
    """Answer which call a request is, or None where it is none of AWS's. Its body can still be read afterwards."""
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    signed, region = (scope["service"], scope["region"]) if scope else ("", default_region)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        family, _, action = target.partition(".")
        return Call(PREFIXES.get(family, signed or family.lower()), action, "json", region)
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        action = parse_qs(body(environ).decode(errors="replace")).get("Action", [""])[0]
        return Call(signed, action, "ec2" if signed == "ec2" else "query", region) if action else None
    if signed == "s3" or "X-Amz-Credential" in environ.get("QUERY_STRING", ""):
        return Call("s3", s3_action(environ), "s3", region)
    return None


def body(environ: dict[str, Any]) -> bytes:
    """Answer the request's body, and put it back for whoever reads it next."""
    text: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(text)
    return text


def s3_action(environ: dict[str, Any]) -> str:
    """Answer the IAM action of a request to S3's REST API, with the bucket in the path.

    Source of fact: the Service Authorization Reference for S3, and each API page's 'Permissions'.
    """
    method, query = environ["REQUEST_METHOD"], parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    bucket, _, key = environ.get("PATH_INFO", "/").lstrip("/").partition("/")
    if not bucket:
        return "ListAllMyBuckets"
    verb = {"GET": "Get", "HEAD": "Get", "DELETE": "Delete"}.get(method, "Put")
    part = next((PARTS[found] for found in PARTS if found in query), None)
    if part:
        return verb + (part.replace("Bucket", "Object") if key else part)
    if key:
        return f"{verb}Object"
    if "delete" in query:
        return "DeleteObject"
    for marker, listed in (("versions", "ListBucketVersions"), ("uploads", "ListBucketMultipartUploads")):
        if marker in query:
            return listed
    return {"PUT": "CreateBucket", "DELETE": "DeleteBucket", "POST": "PutObject"}.get(method, "ListBucket")
