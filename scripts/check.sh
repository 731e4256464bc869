#!/usr/bin/env bash
# All that has to hold before a change is merged: packages, build, types, lint, every test.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step "Debian packages the tests need"
bash scripts/install-test-packages.sh

if [ "${CI:-}" = true ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  step "npm packages from the lockfile"
  npm ci --no-audit --no-fund
fi

if [ "${CI:-}" = true ] || [ test/engine/package-lock.json -nt test/engine/node_modules/.package-lock.json ]; then
  step "the LLM engine the tests run, from its lockfile"
  npm ci --prefix test/engine --omit=optional --no-audit --no-fund
fi

step "build"
npm run --silent build

step "types"
npm run --silent types

step "lint"
npm run --silent lint

step "tests"
npm run --silent test
