# Shared by the scripts of this folder: sourced, not run.
# shellcheck shell=bash

# shellcheck disable=SC2034 # used by the scripts
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# say WORD...: one line of progress.
say()
{
    printf '== %s\n' "$*"
}

# die WORD...: says why, ends the script.
die()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

have()
{
    command -v "$1" >/dev/null 2>&1
}

# as_root COMMAND...: runs it as root, with sudo where that is needed.
as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        die "this needs root, and there is no sudo: $*"
    fi
}

# version_at_least WANTED FOUND
version_at_least()
{
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | sed -n 1p)" = "$1" ]
}

# apt_missing PACKAGE...: prints those that are not installed, one a line.
apt_missing()
{
    local package installed
    installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null || true)
    for package; do
        grep -qxE "[a-z]i +$package" <<<"$installed" || printf '%s\n' "$package"
    done
}

# apt_install PACKAGE...: installs those that are not installed; nothing to do takes no time.
apt_install()
{
    local missing
    mapfile -t missing < <(apt_missing "$@")
    [ ${#missing[@]} -eq 0 ] && return
    say "installing ${missing[*]}"
    as_root apt-get -q -o DPkg::Lock::Timeout=300 update </dev/null ||
        say "apt-get update failed: going on with the package lists as they are"
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l \
        apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        install "${missing[@]}" </dev/null
}

# apt_unpack FOLDER PACKAGE...: those packages, downloaded and unpacked into FOLDER/root; none is installed.
# FOLDER/versions says which they are: name, version. Nothing to do takes no time.
apt_unpack()
{
    local folder=$1 package
    shift
    if [ "$(cat "$folder/complete" 2>/dev/null)" = "$*" ]; then
        return
    fi
    say "downloading $* into $folder"
    rm -rf "${folder:?}"
    mkdir -p "$folder"
    (
        cd "$folder" || exit
        if ! apt-get -qq -o APT::Sandbox::User= download "$@"; then
            as_root apt-get -qq update
            apt-get -qq -o APT::Sandbox::User= download "$@"
        fi
        for package in ./*.deb; do
            dpkg-deb -x "$package" root
            dpkg-deb --show --showformat='${Package},${Version}\n' "$package" >>versions
        done
        rm ./*.deb
        printf '%s\n' "$*" >complete
    )
}

# Writes apt source entries of type deb-src, made from those the machine has, into folder $1. Files that
# apt does not read (another suffix) are left out, and so are CD-ROMs.
make_source_lists()
{
    local SOURCELIST='' SOURCEPARTS='' file number=0
    eval "$(apt-config shell SOURCELIST Dir::Etc::sourcelist/f SOURCEPARTS Dir::Etc::sourceparts/d)"
    for file in "$SOURCELIST" "${SOURCEPARTS%/}"/*.list; do
        if [ -f "$file" ]; then
            number=$((number + 1))
            sed -n '/cdrom:/d; s/^[[:space:]]*deb\(-src\)\{0,1\}\([[:space:]]\)/deb-src\2/p' "$file" |
                sort -u >"$1/$number-${file##*/}"
        fi
    done
    for file in "${SOURCEPARTS%/}"/*.sources; do
        if [ -f "$file" ]; then
            number=$((number + 1))
            sed 's/^[Tt]ypes:.*/Types: deb-src/' "$file" >"$1/$number-${file##*/}"
        fi
    done
}

# apt_source_lists FOLDER: gets the lists of the distribution's source packages. apt works on lists and caches of its
# own in FOLDER, and the system's are not touched. The array APT_SOURCES is its options for that.
apt_source_lists()
{
    mkdir -p "$1/parts" "$1/lists/partial" "$1/cache/archives/partial"
    make_source_lists "$1/parts"
    # Hooks of the system's apt-get update are about the system's lists.
    printf '#clear APT::Update::%s;\n' Pre-Invoke Post-Invoke Post-Invoke-Success >"$1/apt.conf"
    APT_SOURCES=(-c "$1/apt.conf" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$1/parts"
        -o Dir::State::lists="$1/lists" -o Dir::Cache="$1/cache" -o APT::Sandbox::User=
        -o Acquire::IndexTargets::deb-src::Contents-dsc::DefaultEnabled=false)
    apt-get "${APT_SOURCES[@]}" -qq update </dev/null
}

# launcher PRESET: what programs of that preset are run with, a word a line. ThreadSanitizer and AddressSanitizer of
# older compilers cannot place their shadow memory where the kernel scatters mappings over more than 28 bits.
launcher()
{
    local bits=0
    case $1 in
    asan | tsan)
        if [ -r /proc/sys/vm/mmap_rnd_bits ]; then
            bits=$(cat /proc/sys/vm/mmap_rnd_bits)
        fi
        if [ "$bits" -gt 28 ] && setarch -R true 2>/dev/null; then
            printf '%s\n' setarch -R
        fi
        ;;
    esac
}

# summary RESULTS: of the lines of junit_summary.py, in that file: the skipped tests and their reasons, the failed ones,
# and how many there are of each. Fails if one failed.
summary()
{
    # One line for each test and reason, and the presets it concerns.
    awk -F '\t' '
    { n[$1]++ }
    $1 != "pass" {
        key = $1 "\t" $3 ($4 == "" ? "" : ": " $4)
        if (!(key in where))
            order[++keys] = key
        where[key] = where[key] (where[key] == "" ? "" : ", ") $2
    }
    function list(status, title,    i, part) {
        if (!n[status])
            return
        print "\n" title
        for (i = 1; i <= keys; i++) {
            split(order[i], part, "\t")
            if (part[1] == status)
                print "  " part[2] " (" where[order[i]] ")"
        }
    }
    END {
        list("skip", "Skipped:")
        list("fail", "Failed:")
        printf "\n%d passed, %d failed, %d skipped\n", n["pass"], n["fail"], n["skip"]
        exit n["fail"] > 0
    }' "$1"
}
