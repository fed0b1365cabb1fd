"""Names that makepkg and bash use themselves while a PKGBUILD is read and written out.

A PKGBUILD that defines or calls one of these changes what makepkg does, in ways that are not
followed. The list is what `declare -F` shows within a PKGBUILD, for makepkg 6 and 7.
"""

from __future__ import annotations

from caur_ci.pkgbuild.wordlist import words_of

MAKEPKG_FUNCTIONS = words_of("""
    array_build ask backup_package_variables build_id buildenv_buildflags buildenv_ccache
    buildenv_debugflags buildenv_distcc buildenv_lto buildenv_makeflags buildenv_rust
    calc_checksum_bzr calc_checksum_file calc_checksum_fossil calc_checksum_git
    calc_checksum_hg calc_checksum_local calc_checksum_svn canonicalize_path cd_safe
    check_build_status check_buildenv check_buildoption check_checksums check_deps
    check_dotfiles check_epoch check_files_exist check_fullpkgver check_opt_array check_option
    check_pgpsigs check_pkgrel check_pkgver check_software check_source_integrity clean_up
    colorize compress_as create_debug_package create_package create_package_signatures
    create_signature create_signature_detached create_srcpackage dir_is_empty dirsize
    download_bzr download_file download_fossil download_git download_hg download_local
    download_sources download_svn ensure_writable_dir enter_fakeroot error error_function
    executable_ccache executable_checksum executable_distcc executable_fakeroot
    executable_gnupg executable_gpg executable_gzip executable_pacman executable_strip
    executable_sudo executable_vcs exists_function_variable extract_bzr extract_file
    extract_file_name extract_fossil extract_function_variable extract_git
    extract_global_variable extract_hg extract_sources extract_svn find_libdepends
    find_libprovides generate_checksums generate_one_checksum get_all_sources
    get_all_sources_for_arch get_compression_command get_downloadclient get_filename
    get_filepath get_full_version get_git_tag get_integlist get_pkg_arch
    get_pkgbuild_all_split_attributes get_pkgbuild_attribute get_protocol get_srcdest
    get_uri_fragment get_uri_query get_url get_vcsclient grep_function handle_deps
    have_function in_array in_opt_array install_package is_array is_function lint_arch
    lint_arch_specific lint_backup lint_changelog lint_checkdepends lint_config
    lint_config_variables lint_conflicts lint_depends lint_epoch lint_ext lint_file_names
    lint_install lint_kernel_version lint_license lint_license_function lint_makedepends
    lint_one_pkgname lint_optdepends lint_options lint_package lint_package_function
    lint_package_function_variable lint_paths lint_pkgbase lint_pkgbuild lint_pkglist
    lint_pkgname lint_pkgrel lint_pkgver lint_provides lint_source lint_source_date_epoch
    lint_variable lint_xdata list_package_files load_config load_makepkg_config
    merge_arch_attrs missing_source_file msg msg2 parse_gpg_statusfile parseopts
    pkgbuild_extract_to_srcinfo plain plainerr prepare_buildenv print_all_package_names
    remove_deps resolve_deps restore_package_variables run_build run_check run_function
    run_function_safe run_package run_pacman run_prepare run_single_packaging
    run_split_packaging run_verify source_buildfile source_files source_has_signatures
    source_makepkg_config source_safe srcinfo_open_section srcinfo_separate_section
    srcinfo_write_attr srcinfo_write_global srcinfo_write_package srcinfo_write_section_details
    strip_file strip_lto tidy_debug tidy_docs tidy_emptydirs tidy_fakeroot tidy_install
    tidy_libtool tidy_purge tidy_staticlibs tidy_strip tidy_zipman trap_exit update_pkgver
    usage verify_file_signature verify_git_signature verify_integrity_one verify_integrity_sums
    verify_source version warn_build_references warn_missing_backup warning write_buildinfo
    write_kv_pair write_pkgbuild_attribute write_pkginfo write_srcinfo write_srcinfo_content
    write_srcinfo_header
    """)
BUILTINS = words_of("""
    . : [ alias bg bind break builtin caller cd command compgen complete compopt continue declare
    dirs disown echo enable eval exec exit export false fc fg getopts hash help history jobs kill
    let local logout mapfile popd printf pushd pwd read readarray readonly return set shift shopt
    source suspend test times trap true type typeset ulimit umask unalias unset wait
    """)
# Programs that makepkg calls on its way to the .SRCINFO, by names that a function could take.
_CALLED = words_of("awk cat date gettext grep pacman sed tput")
TAKEN_FUNCTIONS = MAKEPKG_FUNCTIONS | BUILTINS | _CALLED
# Other programs: whatever they do, they cannot change the shell that started them.
PROGRAMS = _CALLED | words_of("""
    7z ar arch b2sum base64 basename bc bsdtar bzip2 cargo chmod chown cksum clang cmp comm cp
    curl cut cvs dc dd df diff dirname du echo env expr factor file find fold gawk gcc getconf git
    gpg gunzip gzip head hg host hostname hostnamectl htmlq icu-config id install java join jq
    ldconfig ldd less llvm-config ln locale localectl ls lsb_release lscpu lsmod lspci make md5sum
    mkdir mktemp mv nasm nl node nproc npm nvcc nvchecker od openssl patch perl pgrep php pip
    pkg-config pkgconf pkgfile pnpm ps python python2 python3 readelf readlink realpath rev rg rm
    rmdir rpm ruby seq sha1sum sha256sum sha512sum shuf sleep sort stat strings stty sudo svn sync
    systemctl tac tail tar tee timeout touch tr truncate uname uniq unlink unxz unzip vercmp
    vulkaninfo wc wget which whoami xargs xmllint xmlstarlet xpath xz yarn yes yq zcat zip zstd
    zstdcat
    """)
