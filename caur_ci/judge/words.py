"""The commands and the places that matter when they are new somewhere."""

from __future__ import annotations

import re

from caur_ci.pkgbuild.wordlist import words_of

NETWORK = words_of("""
    curl wget wget2 aria2c axel lftp ftp tftp sftp scp rsync nc ncat netcat socat telnet ssh sshpass
    dig nslookup drill http https xh httpie lynx links w3m elinks youtube-dl yt-dlp ipfs torsocks
    tor proxychains proxychains4 mail sendmail msmtp
    """)
# Programs with subcommands that use the network.
NETWORK_SUBCOMMANDS = {
    "git": words_of("clone fetch pull push ls-remote submodule remote lfs"),
    "svn": words_of("checkout co update up export"),
    "hg": words_of("clone pull push"),
    "bzr": words_of("branch checkout pull"),
    "go": words_of("get mod"),
    "cargo": words_of("fetch update"),
    "openssl": words_of("s_client"),
    "gh": words_of("api release repo gist"),
}
INSTALLERS = {
    **dict.fromkeys(
        ("npm", "pnpm", "yarn", "bun", "cnpm"),
        words_of("install i ci add exec x dlx create update link"),
    ),
    **dict.fromkeys(("pip", "pip2", "pip3", "pipx"), words_of("install download run")),
    "uv": words_of("pip tool sync add run"),
    "cargo": words_of("install binstall"),
    "go": words_of("install run"),
    "gem": words_of("install fetch update"),
    "bundle": words_of("install update"),
    "luarocks": words_of("install"),
    "composer": words_of("install require update create-project"),
    "deno": words_of("install run eval cache"),
    "opam": words_of("install"),
    "dotnet": words_of("tool"),
    "flatpak": words_of("install"),
    "snap": words_of("install"),
    "conda": words_of("install create"),
    "nix": words_of("run shell build profile"),
    **dict.fromkeys(("pacman", "yay", "paru", "trizen", "pikaur"), words_of("-S -Sy -Syu -U -Su")),
}
INSTALLS_BY_ITSELF = words_of("npx bunx pnpx uvx cpan cpanm nix-env nix-shell")
OFFLINE = frozenset({"--no-index", "--offline", "--frozen-offline"})
SHELLS = words_of("""
    sh bash dash zsh ksh mksh fish ash busybox python python2 python3 perl ruby node deno lua luajit
    php pwsh osascript tclsh guile Rscript
    """)
WRAPPERS = words_of(
    "env command exec builtin nohup sudo doas time nice setsid timeout xargs stdbuf"
)
DECODERS = {
    "base64": words_of("-d --decode -D -di"),
    "base32": words_of("-d --decode"),
    "basenc": words_of("-d --decode"),
    "xxd": words_of("-r -rp -r-p -p"),
    "openssl": words_of("enc base64"),
    "uudecode": frozenset(),
}
ACCOUNTS = words_of("useradd usermod groupadd gpasswd passwd chpasswd adduser addgroup visudo")
WRITERS = words_of("cp mv install ln rsync")
CHANGERS = words_of("""
    rm rmdir mkdir tee touch chmod chown chgrp truncate shred dd mknod mkfifo setfacl chattr unlink
    """)
READERS = words_of("""
    cd git sed awk gawk mawk grep egrep fgrep cut tr head tail sort cat echo printf date basename
    dirname wc uniq set local declare typeset test [ jq pkg-config pkgconf svnversion svn hg bzr
    find ls read true false : return pushd popd rev paste expr tac strings readlink realpath stat
    export unset shopt xq yq xmllint bsdtar zcat gzip fold seq tomlq comm column nl od cmp perl
    python python3 ruby node cargo npm go msg msg2 warning error if exit shift getconf uname
    """)
# They make text of text.
FILTERS = words_of("echo printf tr cut head tail rev fold expr basename dirname seq sort uniq wc")
DOCUMENTS = re.compile(
    r"\.(?:svg|png|jpe?g|gif|ico|bmp|webp|ttf|otf|woff2?|pdf|md|txt|html?|css|mp[34]|ogg|wav|doc|"
    r"xml|json|ya?ml|1|desktop|icns)$",
    re.IGNORECASE,
)
_SYSTEMD = (
    "journald|udevd|logind|networkd|resolved|timesyncd|machined|hostnamed|localed|timedated|homed|"
    "oomd|portabled|userdbd|importd|sysupdated|pstored|bsod|mountfsd|nsresourced|creds|boot|"
    "executed|tmpfiled|coredumpd"
)
# What makes a text matter wherever it is new, in the order in which it is looked for.
PLACES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (code, re.compile(pattern))
    for code, pattern in (
        (
            "secret-path",
            (
                r"(?:^|[/~\s\"'=:$}])\.(?:ssh|gnupg|aws|kube|netrc|git-credentials|password-store|pypirc|"
                r"electrum|bitcoin|ethereum|monero|mozilla|thunderbird|docker/config|bash_history|"
                r"zsh_history|local/share/keyrings|config/(?:gh|google-chrome|chromium|BraveSoftware|"
                r"Signal|discord|solana|op|gcloud|Exodus))\b|\bid_(?:rsa|ed25519|ecdsa)\b|wallet\.dat|"
                r"(?:Login|Web) Data\b|cookies\.sqlite|logins\.json|key4\.db|/etc/shadow\b|"
                r"\b(?:GITHUB|GITLAB|NPM|PYPI|ACCESS|API|CI_JOB)_TOKEN\b|AWS_SECRET|AUR_KEY|"
                r"\$\{?(?:HISTFILE|SSH_AUTH_SOCK|GPG_AGENT_INFO)\b"
            ),
        ),
        ("network-used", r"/dev/(?:tcp|udp)/"),
        ("preload", r"ld\.so\.preload|\bLD_(?:PRELOAD|AUDIT)\b"),
        (
            "pacman-trust",
            r"\bpacman-key\b|/etc/pacman\.(?:conf|d)|\bSigLevel\b|/pacman/keyrings|makepkg\.conf\b",
        ),
        ("pacman-hook", r"libalpm/hooks|pacman\.d/hooks"),
        (
            "privilege-rules",
            r"sudoers|polkit-1/|/pam\.d\b|\bdoas\.conf|NOPASSWD|/etc/security/",
        ),
        ("cron-job", r"/etc/(?:cron|anacron)|/spool/cron|\bcrontab\b"),
        ("autostart", r"(?:xdg|\.config)/autostart|\bloginctl\b.*enable-linger"),
        (
            "shell-profile",
            (
                r"/etc/profile\b|profile\.d/|\.bashrc|\.zshrc|\.bash_(?:profile|login|logout)|\.zprofile|"
                r"\.zshenv|[~/]\.profile\b|\.xinitrc|\.xprofile|/etc/environment|environment\.d/|"
                r"/etc/bash\.|/etc/zsh|fish/(?:vendor_)?conf(?:ig)?\."
            ),
        ),
        (
            "trust-store",
            (
                r"ca-certificates/(?:trust-source|extracted)|update-ca-trust|\btrust anchor|"
                r"\bcertutil\b.*\s-A|/etc/ssl/certs|/ca-certificates\.crt"
            ),
        ),
        ("account-files", r"/etc/(?:passwd|group|gshadow|subuid|login\.defs)\b"),
        ("setuid", r"\bchmod\s+(?:-\S+\s+)*(?:[ugoa]*\+[rwxXt]*s|[2467][0-7]{3}\b)"),
        (
            "setuid",
            r"\binstall\b.*\s(?:-\w*m\s*|--mode[= ])(?:[ugoa]*[+=][rwx]*s|0?[2467][0-7]{3}\b)",
        ),
        ("capabilities", r"\bsetcap\b|\bcap_(?:sys_|dac_|net_raw|setuid|setgid)\w*"),
        ("udev-rule", r"udev/rules\.d"),
        (
            "system-lookalike",
            (
                rf"\bsystemd-(?!(?:{_SYSTEMD})\b)[a-z]+d(?:\.service|\.timer)?\b|\bkworkerd?[/:-]|"
                r"\bdbus-daemond\b"
            ),
        ),
        ("systemd-unit", r"systemd/(?:system|user)\b|\bsystemctl\b.*\b(?:enable|start|restart)\b"),
    )
)
BLOB = re.compile(
    r"[A-Za-z0-9+/]{100,}={0,2}|(?:\\x[0-9a-fA-F]{2}){6,}|(?:\\[0-7]{3}){6,}|(?:\\u[0-9a-fA-F]{4}){6,}"
)
