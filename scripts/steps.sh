# Sourced by the scripts beside it: named steps with their times, and a summary at the end.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

STEPS=()
STEPS_FAILED=0

# say TEXT: a line of the script itself, told apart from what it runs.
say() {
    printf '\n== %s\n' "$1"
}

# die TEXT: says what is missing and ends the script.
die() {
    printf '\nerror: %s\n' "$1" >&2
    exit 1
}

# step NAME COMMAND...: runs the command and keeps its outcome; the steps after it run all the same, so
# that one run shows everything that is wrong.
step() {
    local name=$1 began=$SECONDS outcome=ok
    shift
    say "$name: $*"
    "$@" || { outcome=FAILED; STEPS_FAILED=1; }
    STEPS+=("$(printf '%-8s %5ss  %s' "$outcome" "$((SECONDS - began))" "$name")")
}

# summary: prints what ran; its status is that of the steps together.
summary() {
    say "summary of $0"
    printf '%s\n' "${STEPS[@]}"
    return "$STEPS_FAILED"
}
