#!/bin/sh
set -eu

target="/backups/orders-$(date +%F).dump"
pg_dump --format=custom --file="$target" "$DATABASE_URL"
echo "wrote $target"
