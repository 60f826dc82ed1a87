#!/usr/bin/env bash
# Makes the machine that runs PM2 a container instance of an ECS cluster, beside PM2. Run it by hand, as root; run it again
# after any change: it does only what is not done yet. Not for user data, where waiting for Docker would never end.
set -euo pipefail

# What the processes may use under PM2 (1,700 MB, src/components.ts), and 512 for PM2, Docker, the agent and the system.
readonly RESERVED_MEMORY_MIB=2212
# The agent's own defaults, and what PM2 listens on.
readonly RESERVED_PORTS='22 2375 2376 51678 51679 51680 3331 3332'
readonly LOGGING_DRIVERS='awslogs json-file none'
# The longest stopTimeout there is; for containers that name none.
readonly STOP_TIMEOUT=120s
readonly METADATA=http://169.254.169.254/latest

cluster=kodus-cluster
reserved_memory=
dry_run=false
confirmed=false
root=

usage() {
  cat <<'TEXT'
Usage: register-instance.sh [--cluster NAME] [--reserved-memory MIB] [--dry-run] [--yes] [--root DIRECTORY]

  --cluster NAME          the cluster to join (kodus-cluster)
  --reserved-memory MIB   what ECS leaves to PM2 and the system (2212; 512 once PM2 is gone)
  --dry-run               show what would be done, and change nothing
  --yes                   do not ask
  --root DIRECTORY        where /etc is, for tests

Amazon Linux 2023, Debian from 12 and Ubuntu from 22.04 are supported; Amazon Linux 2, whose support has ended, still works.
TEXT
}

main() {
  read_options "$@"
  config="$root/etc/ecs/ecs.config"
  check_machine
  check_cluster
  check_metadata
  new_config=$(merge_config)
  show_plan
  if $dry_run; then
    say 'Nothing was changed.'
    return
  fi
  if is_done; then
    say 'Everything is as it should be.'
    return
  fi
  confirm
  # Before the packages: that of Debian starts the agent, which would join the cluster `default`.
  write_config
  install_packages
  start_services
  say_what_is_left
}

say() { printf '%s\n' "$@"; }
warn() { printf 'Warning: %s\n' "$*" >&2; }
stop() {
  printf '%s\n' "$*" >&2
  exit 1
}

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --cluster | --reserved-memory | --root)
        [ $# -ge 2 ] || stop "$1 needs a value."
        case $1 in
          --cluster) cluster=$2 ;;
          --reserved-memory) reserved_memory=$2 ;;
          --root) root=$2 ;;
        esac
        shift
        ;;
      --dry-run) dry_run=true ;;
      --yes) confirmed=true ;;
      --help)
        usage
        exit 0
        ;;
      *)
        usage >&2
        stop "Unknown option: $1"
        ;;
    esac
    shift
  done
  [[ $cluster =~ ^[A-Za-z][A-Za-z0-9_-]{0,254}$ ]] || stop "No name of a cluster: $cluster"
  [[ $reserved_memory =~ ^[0-9]*$ ]] || stop "No number of MiB: $reserved_memory"
}

check_machine() {
  if ! $dry_run && [ "$(id -u)" != 0 ]; then
    stop 'Only root may install packages and start services: sudo register-instance.sh …'
  fi
  machine=$(uname -m)
  case $machine in
    x86_64) deb_architecture=amd64 ;;
    aarch64) deb_architecture=arm64 ;;
    *) stop "ECS has no agent for $machine." ;;
  esac
  [ -r "$root/etc/os-release" ] || stop "$root/etc/os-release is missing: this is no system that is known."
  # shellcheck disable=SC1091
  system=$(. "$root/etc/os-release" && printf '%s %s' "${ID:-}" "${VERSION_ID:-}")
  case $system in
    'amzn 2023'*) family=amazon ;;
    'amzn 2') family=amazon2 ;;
    'debian 1'[2-9] | 'ubuntu 2'[2-9].*) family=debian ;;
    *) stop "$system is not supported: Amazon Linux 2023, Debian from 12 or Ubuntu from 22.04 are." ;;
  esac
  if [ "$family" = amazon2 ]; then
    warn 'support of Amazon Linux 2 ended on 30 June 2026. Move to Amazon Linux 2023 when you can.'
  fi
  command -v systemctl > /dev/null || stop 'There is no systemd, which keeps the agent running.'
}

check_cluster() {
  local other
  [ ! -e "$config" ] || [ -r "$config" ] || stop "$config is there, and only root may read it."
  other=$(configured ECS_CLUSTER)
  [ -z "$other" ] || [ "$other" = "$cluster" ] || stop \
    "This machine belongs to the cluster $other. An agent that changes its cluster leaves its tasks behind:" \
    "deregister it there, stop the agent, remove $config and /var/lib/ecs/data, then run this again."
}

check_metadata() {
  local role
  token=$(curl --silent --fail --max-time 5 --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 300' \
    "$METADATA/api/token") || stop 'The instance metadata service (IMDSv2) does not answer. Is this an EC2 instance?'
  role=$(metadata iam/security-credentials/) || role=
  [ -n "$role" ] || stop 'This instance has no role, so the agent could not join a cluster: give it one with the policy' \
    'AmazonEC2ContainerServiceforEC2Role, as an instance profile.'
  region=$(metadata placement/region) || stop 'The instance metadata service does not say the region.'
}

metadata() {
  curl --silent --fail --max-time 5 --header "X-aws-ec2-metadata-token: $token" "$METADATA/meta-data/$1"
}

# The value that a variable has in the agent's settings; nothing when it has none.
configured() {
  [ -r "$config" ] || return 0
  sed -n "s/^[[:space:]]*$1=//p" "$config" | tail -n 1 | tr -d '\r'
}

# What the settings become: each of our variables once, where it was or at the end; all other lines as they are.
merge_config() {
  local memory line name ours=()
  memory=$(configured ECS_RESERVED_MEMORY)
  if [ -n "$reserved_memory" ]; then
    memory=$reserved_memory
  elif ! [[ $memory =~ ^[0-9]+$ ]] || [ "$memory" -lt "$RESERVED_MEMORY_MIB" ]; then
    memory=$RESERVED_MEMORY_MIB
  fi
  ours=(
    "ECS_CLUSTER=$cluster"
    "ECS_RESERVED_PORTS=[$(union ECS_RESERVED_PORTS "$RESERVED_PORTS" | sort -n | paste -sd ,)]"
    "ECS_RESERVED_MEMORY=$memory"
    "ECS_AVAILABLE_LOGGING_DRIVERS=[$(union ECS_AVAILABLE_LOGGING_DRIVERS "$LOGGING_DRIVERS" | sed 's/.*/"&"/' | paste -sd ,)]"
    ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE=true
    ECS_ENABLE_TASK_IAM_ROLE=true
    ECS_ENABLE_SPOT_INSTANCE_DRAINING=true
    "ECS_CONTAINER_STOP_TIMEOUT=$STOP_TIMEOUT"
  )
  local written=' '
  if [ -e "$config" ]; then
    while IFS= read -r line || [ -n "$line" ]; do
      name=${line%%=*}
      name=${name#"${name%%[![:space:]]*}"}
      case " ${ours[*]%%=*} " in
        *" $name "*)
          [[ $written = *" $name "* ]] && continue
          written+="$name "
          printf '%s\n' "${ours[@]}" | grep "^$name="
          ;;
        *) printf '%s\n' "$line" ;;
      esac
    done < "$config"
  fi
  for line in "${ours[@]}"; do
    [[ $written = *" ${line%%=*} "* ]] || printf '%s\n' "$line"
  done
}

# The words of a list in the settings, and ours; each once.
union() {
  { configured "$1" | tr -d '[]" ' | tr , '\n'; tr ' ' '\n' <<< "$2"; } | grep . | sort -u
}

config_is_written() { [ -e "$config" ] && [ "$(cat "$config")" = "$new_config" ]; }
has_unit() { systemctl cat "$1.service" > /dev/null 2>&1; }
runs() { systemctl is-enabled --quiet "$1" && systemctl is-active --quiet "$1"; }
is_done() { config_is_written && has_unit docker && has_unit ecs && runs docker && runs ecs; }

show_plan() {
  say "$system, $machine, $region: to be a container instance of $cluster."
  if config_is_written; then
    say "$config: stays"
  else
    say "$config: will be"
    printf '%s\n' "$new_config" | sed 's/^/  /'
  fi
  local each
  for each in docker ecs; do
    if ! has_unit "$each"; then
      say "$each: will be installed and started"
    elif runs "$each"; then
      say "$each: runs"
    else
      say "$each: will be started"
    fi
  done
}

confirm() {
  $confirmed && return
  [ -t 0 ] || stop 'Nothing was changed. Say --yes where nobody can be asked.'
  local answer
  read -r -p 'Go on? [y/N] ' answer
  [[ $answer = [yY] ]] || stop 'Nothing was changed.'
}

write_config() {
  config_changed=false
  config_is_written && return
  config_changed=true
  mkdir -p "${config%/*}"
  local new
  new=$(mktemp "$config.XXXXXX")
  if [ -e "$config" ]; then
    cp -p "$config" "$config.$(date +%Y%m%d%H%M%S).backup"
    # It may hold the password of a registry.
    chmod --reference="$config" "$new"
  fi
  printf '%s\n' "$new_config" > "$new"
  mv "$new" "$config"
}

install_packages() {
  has_unit docker && has_unit ecs && return
  case $family in
    amazon) dnf install -y docker ecs-init ;;
    amazon2)
      # Its `ecs` brings the Docker that belongs to the agent.
      amazon-linux-extras disable docker
      amazon-linux-extras install -y ecs
      ;;
    debian) install_on_debian ;;
  esac
}

install_on_debian() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  # Not beside a Docker that came from elsewhere.
  has_unit docker || apt-get install -y docker.io
  has_unit ecs && return
  local package
  package=$(mktemp --suffix=.deb)
  curl --silent --show-error --fail --output "$package" \
    "https://s3.$region.amazonaws.com/amazon-ecs-agent-$region/amazon-ecs-init-latest.$deb_architecture.deb"
  chmod 644 "$package"
  apt-get install -y --option Dpkg::Options::=--force-confold "$package"
  rm "$package"
}

start_services() {
  runs docker || systemctl enable --now docker
  docker info > /dev/null || stop 'Docker does not answer: journalctl --unit docker says why. Then run this again.'
  if ! runs ecs; then
    systemctl enable --now --no-block ecs
  elif $config_changed; then
    # Its tasks go on meanwhile.
    systemctl restart --no-block ecs
  fi
}

say_what_is_left() {
  local ports first last
  ports=$(cat "$root/proc/sys/net/ipv4/ip_local_port_range" 2> /dev/null || printf '32768 60999')
  read -r first last <<< "$ports"
  say '' 'The agent starts. Then:' \
    "- Within a minute, \`curl --silent http://localhost:51678/v1/metadata\` names the cluster; else /var/log/ecs says why." \
    "- Let the load balancer reach ports $first to $last of this machine, and nobody else: tasks listen there." \
    '- Keep tasks from the rights of this machine: `aws ec2 modify-instance-metadata-options --http-tokens required' \
    '  --http-put-response-hop-limit 1 --instance-id …`.'
}

main "$@"
