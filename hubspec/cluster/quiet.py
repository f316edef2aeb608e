"""What the libraries under the doors say while they work: headers, bodies and addresses, and so tokens and arguments."""

from __future__ import annotations

import logging

LIBRARIES = ("asyncio", "boto3", "botocore", "docker", "requests", "s3transfer", "urllib3", "websocket")


def hush() -> None:
    """Keep them from telling details, whatever level is asked for: botocore logs each answer of AWS whole at DEBUG."""
    for name in LIBRARIES:
        log = logging.getLogger(name)
        log.setLevel(max(log.level, logging.INFO))
