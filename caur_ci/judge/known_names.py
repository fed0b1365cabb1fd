"""Packages of the distribution that others must not pose as, and that are often needed."""

from __future__ import annotations

from caur_ci.pkgbuild.wordlist import words_of

# What nearly every system has: whoever takes one of these names is on it with the next upgrade.
DISTRIBUTION = words_of("""
    acl archlinux-keyring argon2 attr audit base base-devel bash binutils brotli bzip2
    ca-certificates ca-certificates-mozilla ca-certificates-utils coreutils cryptsetup curl dash db
    dbus dbus-broker device-mapper diffutils dosfstools e2fsprogs expat fakeroot file filesystem
    findutils flatpak gawk gcc gcc-libs gdbm gettext glib2 glibc gmp gnupg gnutls gpgme grep grub
    gzip hwdata iana-etc icu iproute2 iptables iputils json-c kbd keyutils kmod krb5 less libarchive
    libassuan libcap libcap-ng libelf libevent libffi libgcrypt libgpg-error libidn2 libksba libldap
    libmnl libnftnl libnghttp2 libnl libp11-kit libpcap libpsl libsasl libseccomp libsecret libssh2
    libsysprof-capture libtasn1 libtirpc libunistring libusb libutempter libverto libxcrypt libxml2
    licenses linux linux-api-headers linux-firmware linux-hardened linux-headers linux-lts linux-zen
    logrotate lz4 m4 make man-db mesa mkinitcpio mpfr ncurses nettle networkmanager npth openssh
    openssl p11-kit pacman pacman-contrib pacman-mirrorlist pam pambase patch pciutils pcre pcre2
    perl pinentry polkit popt procps-ng psmisc readline rpcbind sed shadow sqlite sudo systemd
    systemd-libs systemd-sysvcompat tar texinfo tpm2-tss tzdata udev util-linux util-linux-libs
    which xz zlib zlib-ng zstd wayland xorg-server firefox chromium plasma-desktop gnome-shell
    pipewire wireplumber doas amd-ucode intel-ucode efibootmgr nano vim
    """)
# Often among dependencies: a name that is nearly one of these may have been meant to be read as it.
OFTEN_NEEDED = DISTRIBUTION | words_of("""
    alsa-lib at-spi2-core autoconf automake boost boost-libs cairo cargo clang cmake cups
    desktop-file-utils dkms docker dotnet-runtime doxygen electron ffmpeg fftw fontconfig freetype2
    gdk-pixbuf2 git glew glfw glu gobject-introspection go gradle gst-plugins-base gtk2 gtk3 gtk4
    gtk-layer-shell harfbuzz hicolor-icon-theme imagemagick jdk-openjdk jre-openjdk jsoncpp kio
    lib32-glibc libadwaita libappindicator-gtk3 libayatana-appindicator libcups libdrm libepoxy
    libgit2 libglvnd libjpeg-turbo libnotify libpng libpulse librsvg libsoup libtool libva libvdpau
    libvirt libvpx libwebp libx11 libxcb libxcomposite libxcursor libxdamage libxext libxfixes libxi
    libxinerama libxkbcommon libxrandr libxrender libxslt libxss libxtst libyaml llvm lua luajit
    meson mpv ninja nodejs npm nspr nss nvidia-utils ocaml opencv openjpeg2 pango pkgconf protobuf
    pybind11 pyside6 python python-build python-cffi python-click python-cryptography python-gobject
    python-installer python-jinja python-lxml python-numpy python-pillow python-pip
    python-poetry-core python-psutil python-pydantic python-pyqt5 python-pyqt6 python-pytest
    python-pyyaml python-requests python-rich python-setuptools python-urllib3 python-wheel qt5-base
    qt5-declarative qt5-svg qt5-tools qt6-base qt6-declarative qt6-multimedia qt6-svg qt6-tools
    qt6-wayland qt6-webengine ruby rust sdl2 spdlog squashfs-tools swig tcl tk ttf-dejavu unzip vala
    vulkan-headers vulkan-icd-loader wayland-protocols webkit2gtk webkit2gtk-4.1 wget wxwidgets-gtk3
    xdg-utils xorg-xwayland yarn zip
    """)
INSTALLERS = words_of("""
    npm pnpm yarn bun bun-bin nodejs-npm python-pip python-pipx uv python-uv rubygems luarocks
    cpanminus composer deno conda miniconda3 opam cargo-binstall volta nvm fnm pkgx
    """)
