# Who is measured: shared by scripts/bench and bench/profile, sourced after scripts/lib.sh.
# shellcheck shell=bash

# libmemkind0, what it needs, and what is preloaded as malloc(3).
PACKAGES=(libmemkind0 libdaxctl1 libhwloc15 libkmod2 libnuma1 libudev1 libuuid1
    libjemalloc2 libtbbmalloc2 libmimalloc2.0 libtcmalloc-minimal4)
PEERS_FOLDER=build/peers

# library FILE: where that library is among the peers.
library()
{
    local found
    found=$(find "$PWD/$PEERS_FOLDER/root" -name "$1" | head -n 1)
    [ -n "$found" ] || die "there is no $1 in $PEERS_FOLDER: remove that folder and try again"
    printf '%s\n' "$found"
}

# command_of PEER KINDS: sets `command`, what measures it. A new peer is a case here and a package above.
command_of()
{
    local bench=$PWD/build/release/bench/memkind-bench ours=$PWD/build/release/src/libmemkind.so.0 folder preload=
    folder=$(dirname "$(library libtbbmalloc.so.2)") # all that is preloaded or needed is in this one
    case $1 in
    ours) command=("$bench" --library "$ours" --kinds "$2") ;;
    ours-tbb) command=(env MEMKIND_HEAP_MANAGER=TBB LD_LIBRARY_PATH="$folder" "$bench" --library "$ours"
        --kinds "$2") ;;
    libmemkind0) command=(env LD_LIBRARY_PATH="$folder" "$bench" --library "$(library libmemkind.so.0)"
        --kinds "$2") ;;
    jemalloc) preload=libjemalloc.so.2 ;;
    tbbmalloc) preload=libtbbmalloc_proxy.so.2 ;;
    mimalloc) preload=libmimalloc.so.2.0 ;;
    tcmalloc) preload=libtcmalloc_minimal.so.4 ;;
    # As malloc(3), with whatever memkind-run preloads.
    run) command=("$PWD/build/release/tools/memkind-run" --kind DEFAULT -- "$bench" --plain) ;;
    run-sizes | run-callers)
        command=("$PWD/build/release/tools/memkind-run" --rules "$PWD/bench/rules/${1#run-}.rules" -- "$bench" --plain)
        ;;
    glibc) command=("$bench" --plain) ;;
    nothing) command=("$bench" --none) ;;
    *) die "no such peer: $1" ;;
    esac
    if [ -n "$preload" ]; then
        command=(env LD_LIBRARY_PATH="$folder" LD_PRELOAD="$(library "$preload")" "$bench" --plain)
    fi
}

# prepare: all that is needed is there. The folder is the project's.
prepare()
{
    scripts/bootstrap --bench
    cmake --preset release -DMEMKIND_BUILD_BENCH=ON >/dev/null
    cmake --build --preset release --parallel "$(nproc)" --target memkind memkind-bench \
        memkind_preload memkind-run
    if ! have apt-get || ! have dpkg-deb; then
        die "the peers are packages of Debian and Ubuntu: ${PACKAGES[*]}"
    fi
    apt_unpack "$PEERS_FOLDER" "${PACKAGES[@]}"
}

# What the figures were measured on.
describe_machine()
{
    printf 'cpus,%s\n' "$(nproc)"
    printf 'processor,%s\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort -u | head -n 1)"
    printf 'kernel,%s\n' "$(uname -r)"
    printf 'system,%s\n' "$(. /etc/os-release && printf '%s' "$PRETTY_NAME")"
    printf 'library,%s\n' "$(git describe --always --dirty 2>/dev/null || true)"
    printf 'huge pages,%s\n' "$(cat /proc/sys/vm/nr_hugepages)"
    printf 'transparent huge pages,%s\n' \
        "$(sed 's/.*\[\(.*\)\].*/\1/' /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null)"
}

# publish_between NAME TABLE FILE: TABLE's lines take the place of those between FILE's marks
# <!-- NAME:begin --> and <!-- NAME:end -->.
publish_between()
{
    local new
    new=$(awk -v name="$1" -v table="$2" '
        index($0, "<!-- " name ":end -->") { inside = 0 }
        !inside { print }
        index($0, "<!-- " name ":begin -->") {
            inside = 1
            print ""
            while ((getline line <table) > 0)
                print line
            print ""
        }' "$3")
    printf '%s\n' "$new" >"$3"
}
