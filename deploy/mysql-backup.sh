#!/bin/sh
# Saves guoke's database on MariaDB or MySQL into a file, or restores it from one:
#
#   mysql-backup.sh save    <database> <file> [options of the client, such as --defaults-extra-file=…]
#   mysql-backup.sh restore <database> <file> [options of the client]
#
# It stops at the first step that fails. A restore drops nothing before the file has been loaded as a whole into a database of its
# own, and what there is now has been saved beside the file.
set -eu
umask 077

fail() {
  echo "mysql-backup: $*" >&2
  exit 1
}

client=$(command -v mariadb || command -v mysql) || fail 'there is no mariadb and no mysql here'
dump=$(command -v mariadb-dump || command -v mysqldump) || fail 'there is no mariadb-dump and no mysqldump here'

# The options come first: --defaults-extra-file has to.
sql() {
  statement=$1
  shift
  "$client" "$@" --batch --skip-column-names --execute="$statement"
}

# The last line of a dump that was not broken off.
is_whole() {
  tail -n 1 "$1" | grep -q '^-- Dump completed'
}

save() {
  name=$1
  target=$2
  shift 2
  [ ! -e "$target" ] || fail "$target is there already"
  draft="$target.$$"
  if ! "$dump" "$@" --comments --single-transaction --no-tablespaces --hex-blob "$name" >"$draft" || ! is_whole "$draft"; then
    rm -f "$draft"
    fail "$name could not be saved; nothing was changed"
  fi
  mv "$draft" "$target"
  echo "$name is saved in $target."
}

restore() {
  name=$1
  source=$2
  shift 2
  trial="${name}_restore_trial"
  is_whole "$source" || fail "$source is not a complete dump; nothing was changed"
  if grep -qE '^(USE|CREATE DATABASE) ' "$source"; then fail "$source names a database of its own: dump it without --databases"; fi

  others=$(sql "select count(*) from information_schema.processlist where db = '$name'" "$@")
  [ "$others" = 0 ] || fail "$others connections use $name: stop the servers first; nothing was changed"

  sql "create database $trial character set utf8mb4" "$@" || fail "$trial is there already: drop it first; nothing was changed"
  if ! "$client" "$@" "$trial" <"$source" || ! users=$(sql "select count(*) from $trial.gk_wx_user" "$@"); then
    sql "drop database $trial" "$@"
    fail "$source cannot be loaded; nothing was changed"
  fi
  sql "drop database $trial" "$@"

  before="$source.before-$(date +%Y%m%d-%H%M%S)"
  save "$name" "$before" "$@"
  sql "drop database $name; create database $name character set utf8mb4" "$@"
  "$client" "$@" "$name" <"$source" || fail "$name is not whole now: restore $before"
  echo "$name is restored from $source: $users users."
}

[ $# -ge 3 ] || fail 'say: save or restore, the database, the file'
action=$1
case $2 in
  '' | *[!A-Za-z0-9_]*) fail 'the name of the database may have letters, digits and _ alone' ;;
esac
shift
case $action in
  save) save "$@" ;;
  restore) restore "$@" ;;
  *) fail 'say: save or restore, the database, the file' ;;
esac
