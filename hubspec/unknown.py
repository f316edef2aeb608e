"""What was said that no setting is: a variable of the environment, an option of a command line; and what nobody should have said there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from hubspec.cluster.options import CONFIG, SECRETS, variable
from hubspec.faults import nearest
from hubspec.masked import IN_URL, is_secret, masked, masked_sentence, secret_in_url
from hubspec.printable import printable

_OTHERS = re.compile(r"HUBSPEC_(?:LAB_.+|TEST_.+|INSTALL_ENGINE|WAIT|PART_OF)")
"""Those of the lab, of the suite's own tests, of a launch script, and of an audit that is a part of a fleet's run."""
_OF_KUBERNETES = re.compile(
    r"HUBSPEC_(?:.+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)"
)
"""What every pod is given where a service is called hubspec: kubernetes.io/docs/concepts/services-networking/service, "Environment variables"."""


def variables(environment: Mapping[str, str], known: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each variable that is no setting, or has a value that cannot be meant. `known`: setting -> sort."""
    options = {variable(f"--{key}"): sort for key, sort in known.items()} | {variable(CONFIG): "text"}
    for name, value in sorted(environment.items()):
        if name in options:
            if options[name] == "switch" and value not in {"0", "1"}:
                yield f"{name}: wanted 1 or 0"
            if secret_in_url(value):
                yield f"{name}: {IN_URL}"
        elif name not in SECRETS and not _OTHERS.fullmatch(name) and not _OF_KUBERNETES.fullmatch(name):
            yield f"{printable(masked(name))}: unknown setting; {nearest(name, [*options, *SECRETS])}"


def helpful(message: str, known: Iterable[str]) -> str:
    """Return argparse's message; of options that are none without what stands beside them, each with the nearest of those known."""
    about, _, quoted = message.partition("unrecognized arguments: ")
    words = [word.partition("=")[0] for word in quoted.split() if word.startswith("--")]
    if not words:
        return printable(masked_sentence(message))
    known = list(known)
    hints = [_of_option(word, known) for word in dict.fromkeys(words) if word not in known]
    return "; ".join([printable(f"{about}unrecognized arguments: {' '.join(words)}"), *filter(None, hints)])


def _of_option(word: str, known: list[str]) -> str:
    if is_secret(word[2:]):
        return f"{printable(word)}: no option takes a secret, for argv can be read by anybody; a file or a variable holds it"
    hint = nearest(word, known)
    return f"{printable(word)}: {hint}" if hint.startswith("did") else ""
