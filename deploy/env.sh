#!/bin/sh
# Write into .env a random password for each that .env.example names, unless it has one.  All else in it stays as it is.
set -eu
umask 077
[ -e .env ] || echo "# Passwords for docker compose.  What else can be set here: .env.example" >.env
for name in $(sed -n 's/^\([A-Z_]*_PASSWORD\)=$/\1/p' .env.example); do
  grep -q "^$name=." .env && continue
  # Letters and digits only: passwords stand in URLs.
  echo "$name=$(od -An -N20 -tx1 /dev/urandom | tr -d ' \n')" >>.env
  echo ".env: wrote $name"
done
