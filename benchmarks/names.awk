# The names and the dependencies of one .SRCINFO: as little as a process for each file can do.
$1 == "pkgbase" { base = $3 }
$1 == "pkgname" { names = names "," $3 }
$1 ~ /depends$/ && $1 != "optdepends" { sub(/[<>=].*/, "", $3); needs = needs "," $3 }
END { print base ":" substr(names, 2) ":" substr(needs, 2) }
