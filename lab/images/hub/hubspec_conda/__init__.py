"""The lab's `conda`: a front end over rattler, conda's solver and installer in Rust. It is not conda, and says so."""

VERSION = "conda 4.12.0 (hubspec lab front end over rattler)"
NUMBER = "4.12.0"
ROOT = "/opt/conda"
CHANNEL = "file:///opt/channel"
