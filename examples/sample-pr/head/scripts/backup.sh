#!/bin/sh
set -eu

target="/backups/orders-$(date +%F).dump"
pg_dump --format=custom --compress=9 --file="$target" "$DATABASE_URL"
find /backups -name 'orders-*.dump' -mtime +14 -delete
echo "wrote $target"
