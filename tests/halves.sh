#!/bin/sh
# Both halves of the tests side by side, for those of the lab wait for containers much of the time: theirs are shown as they run, the others' once they have ended.
set -u
bin=$1 others=$(mktemp) beside=''
trap '[ -z "$beside" ] || kill "$beside" 2>/dev/null; rm -f "$others"' EXIT
trap 'exit 130' INT TERM
echo 'tests/unit and tests/suite run beside tests/lab, and are shown after them'
"$bin/pytest" tests/unit tests/suite -o cache_dir=.pytest_cache/others > "$others" 2>&1 &
beside=$!
"$bin/pytest" tests/lab -o cache_dir=.pytest_cache/lab
lab=$?
wait "$beside"
rest=$?
beside=''
cat "$others"
echo "tests/lab ended with exit code $lab, tests/unit and tests/suite with $rest"
[ "$lab" = 0 ] && [ "$rest" = 0 ]
