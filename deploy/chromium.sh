#!/bin/bash
# See that Chromium is there, installing Debian's where that can be done. Status 0 either way: where there is none,
# the tests that need it say so.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
if command -v apt-get >/dev/null && [[ $(id -u) -eq 0 ]]; then
    echo "Installing Chromium"
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium; } >/dev/null && exit 0
fi
echo "!!! There is no Chromium and none could be installed: the browser tests will be skipped." >&2
