#!/usr/bin/env bash
# Swaps our parts for Kubernetes' own over the wire, both ways, and does the same exercises with each cluster.
#
#   KUBE_BIN=DIR swap.sh [controllers] [scheduler] [server] [defaults]
#
# controllers: our packaged controller manager on Kubernetes' API server, with its scheduler and kwok's nodes.
# scheduler:   our scheduler on Kubernetes' API server, with its controller manager and kwok's nodes.
# server:      Kubernetes' controller manager and scheduler on our API server, in JSON, with our simulated nodes.
# defaults:    the same with their own defaults: protobuf, and a service account for each controller.
# KUBE_BIN holds etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok. KUBECTL, TRIMTAB and
# CONTROLLER_MANAGER name the other programs.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${KUBE_BIN:?swap.sh: set KUBE_BIN to the directory with the programs of Kubernetes}
walk=$here/../walk
trimtab=${TRIMTAB:-$here/../../trimtab}
controller_manager=${CONTROLLER_MANAGER:-java -jar $here/../../controllers/target/trimtab-controller-manager.jar}
kubectl_program=${KUBECTL:-kubectl}
work=$(mktemp -d)
pids=() failures=0

stop_all() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  pids=()
}
trap 'stop_all; rm -rf "$work"' EXIT

k() { timeout 90 "$kubectl_program" "$@"; }
background() { # background NAME COMMAND...
  local name=$1; shift
  "$@" >"$work/$name.log" 2>&1 &
  pids+=($!)
}

# check WHAT SECONDS PATTERN COMMAND...: says whether the command's output matches within the time.
check() {
  local what=$1 seconds=$2 pattern=$3 out= end; shift 3
  end=$((SECONDS + seconds))
  while :; do
    out=$("$@" 2>&1) && grep -Eq -- "$pattern" <<<"$out" && { echo "  passed  $what"; return 0; }
    [ $SECONDS -ge $end ] && break
    sleep 0.2
  done
  echo "  FAILED  $what: expected /$pattern/, found: $(head -5 <<<"$out")"
  failures=$((failures + 1))
}

port() {
  local port
  for port in $(seq "$1" $(($1 + 200))); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

exercises() {
  check "nodes are ready" 90 '^([a-z0-9.-]+ +Ready.*){1}' k get nodes --no-headers
  check "nodes have pod ranges" 60 '172\.16\.' k get nodes -o 'jsonpath={.items[*].spec.podCIDR}'
  check "the default account is there" 60 'default' k get serviceaccount default
  check "each namespace has the root certificate" 60 'kube-root-ca' k get configmap kube-root-ca.crt
  k create -f "$walk/web-rc.yaml" >/dev/null
  check "a replication controller makes pods" 90 'myweb +3 +3 +3 ' k get rc
  k create -f "$walk/myweb-svc.yaml" >/dev/null
  check "endpoints follow ready pods" 60 '([0-9.]+:8080,){2}[0-9.]+:8080' k get endpoints myweb
  check "endpoint slices follow ready pods" 60 'IPv4 +8080 +[0-9.]+,[0-9.]+,[0-9.]+' k get endpointslices -l kubernetes.io/service-name=myweb
  k delete "$(k get pods -l app=myweb -o name | head -1)" --grace-period=1 >/dev/null
  k scale rc myweb --replicas=5 >/dev/null
  check "it replaces a lost pod and scales" 90 'myweb +5 +5 +5 ' k get rc
  k create -f "$walk/web-deployment.yaml" >/dev/null
  check "a deployment rolls out" 0 'successfully rolled out' k rollout status deployment/web --timeout=85s
  k set image deployment/web web=nginx:1.26 >/dev/null
  check "a new image rolls out" 0 'successfully rolled out' k rollout status deployment/web --timeout=85s
  k rollout undo deployment/web >/dev/null
  check "it rolls back" 0 'successfully rolled out' k rollout status deployment/web --timeout=85s
  check "to the old image" 30 'nginx:1.25' k get deployment web -o 'jsonpath={.spec.template.spec.containers[0].image}'
  check "revisions are kept" 30 '^2 *3 *$' sh -c "'$kubectl_program' rollout history deployment/web | grep -oE '^[0-9]+' | tr '\n' ' '"
  k create job once --image=busybox >/dev/null
  check "a job has its pod" 60 'job-name=once' k get pods -l job-name=once --show-labels
  k delete deployment web >/dev/null
  check "what it owned is collected" 60 '^0$' sh -c "'$kubectl_program' get rs,pods -l app=web -o name | wc -l"
  k create namespace away >/dev/null && k create configmap one -n away >/dev/null
  check "a namespace is emptied and goes" 0 'deleted' k delete namespace away --timeout=85s
}

certificates() {
  cd "$work" || exit 1
  openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=swap-ca 2>/dev/null
  local leaf subject names
  while read -r leaf subject names; do
    openssl req -newkey rsa:2048 -nodes -keyout "$leaf.key" -out "$leaf.csr" -subj "$subject" 2>/dev/null
    echo "subjectAltName=$names" >"$leaf.ext"
    openssl x509 -req -in "$leaf.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -out "$leaf.crt" -days 2 \
      -extfile "$leaf.ext" 2>/dev/null
  done <<L
server /CN=kube-apiserver IP:127.0.0.1,IP:10.254.0.1,DNS:localhost,DNS:kubernetes.default.svc
admin /O=system:masters/CN=admin DNS:admin
kcm /CN=system:kube-controller-manager DNS:kcm
sched /CN=system:kube-scheduler DNS:sched
L
  openssl genrsa -out sa.key 2048 2>/dev/null
  openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
  local user
  for user in admin kcm sched; do
    k --kubeconfig $user.kubeconfig config set-cluster real --server="https://127.0.0.1:$1" --certificate-authority=ca.crt --embed-certs
    k --kubeconfig $user.kubeconfig config set-credentials $user --client-certificate=$user.crt --client-key=$user.key --embed-certs
    k --kubeconfig $user.kubeconfig config set-context real --cluster=real --user=$user
    k --kubeconfig $user.kubeconfig config use-context real
  done >/dev/null
}

# Kubernetes' API server, on etcd.
real_server() {
  local secure etcd
  secure=$(port 26443) etcd=$(port 22379)
  rm -rf "$work/etcd"
  certificates "$secure"
  export KUBECONFIG=$work/admin.kubeconfig
  background etcd "$bin/etcd" --data-dir "$work/etcd" --listen-client-urls "http://127.0.0.1:$etcd" \
    --advertise-client-urls "http://127.0.0.1:$etcd" --listen-peer-urls "http://127.0.0.1:$((etcd + 1))" \
    --initial-advertise-peer-urls "http://127.0.0.1:$((etcd + 1))" --initial-cluster "default=http://127.0.0.1:$((etcd + 1))"
  background apiserver "$bin/kube-apiserver" --etcd-servers="http://127.0.0.1:$etcd" --secure-port="$secure" \
    --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --tls-cert-file=server.crt --tls-private-key-file=server.key \
    --client-ca-file=ca.crt --service-cluster-ip-range=10.254.0.0/16 --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file=sa.pub --service-account-signing-key-file=sa.key --authorization-mode=Node,RBAC \
    --endpoint-reconciler-type=none
  check "the API server is ready" 180 '^ok$' k get --raw /readyz
}

# kwok, and two nodes for it to play.
kwok_nodes() {
  background kwok "$bin/kwok" --kubeconfig=admin.kubeconfig --manage-all-nodes=true --cidr=172.16.0.0/16 \
    --node-ip=127.0.0.1 --server-address=127.0.0.1:0
  local node
  for node in node-1 node-2; do
    k create -f - >/dev/null <<Y
{"apiVersion":"v1","kind":"Node","metadata":{"name":"$node"},
 "status":{"allocatable":{"cpu":"8","memory":"32Gi","pods":"110"},"capacity":{"cpu":"8","memory":"32Gi","pods":"110"}}}
Y
  done
}

controllers() {
  echo "our controller manager on Kubernetes' API server, with its scheduler, and kwok"
  real_server
  # shellcheck disable=SC2086
  background controllers $controller_manager --kubeconfig "$work/kcm.kubeconfig" --use-service-account-credentials \
    --service-account-private-key-file "$work/sa.key" --root-ca-file "$work/ca.crt" --allocate-node-cidrs \
    --cluster-cidr 172.16.0.0/16
  background scheduler "$bin/kube-scheduler" --kubeconfig=sched.kubeconfig --authentication-kubeconfig=sched.kubeconfig \
    --authorization-kubeconfig=sched.kubeconfig --bind-address=127.0.0.1 --secure-port=0 --leader-elect=false
  kwok_nodes
  exercises
  stop_all
}

scheduler() {
  echo "our scheduler on Kubernetes' API server, with its controller manager, and kwok"
  real_server
  background controllers "$bin/kube-controller-manager" --kubeconfig=kcm.kubeconfig --use-service-account-credentials \
    --service-account-private-key-file=sa.key --root-ca-file=ca.crt --bind-address=127.0.0.1 --secure-port=0 \
    --leader-elect=false --allocate-node-cidrs --cluster-cidr=172.16.0.0/16 --service-cluster-ip-range=10.254.0.0/16
  background scheduler "$trimtab" scheduler --kubeconfig "$work/sched.kubeconfig"
  kwok_nodes
  exercises
  stop_all
}

# our_server CONTENT_TYPE CREDENTIALS: Kubernetes' controllers and scheduler on our API server.
our_server() {
  local secure
  secure=$(port 27443)
  rm -f "$work/ready"
  export KUBECONFIG=$work/ours.kubeconfig
  background cluster "$trimtab" up --store memory --secure-port "$secure" --kubeconfig "$KUBECONFIG" --nodes 2 \
    --controllers '' --no-scheduler --ready-file "$work/ready"
  check "the API server is ready" 400 'secure-port' cat "$work/ready"
  k config view --raw -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}' | base64 -d >"$work/ours.crt"
  background controllers "$bin/kube-controller-manager" --kubeconfig="$KUBECONFIG" --kube-api-content-type="$1" \
    --use-service-account-credentials="$2" --bind-address=127.0.0.1 --secure-port=0 --leader-elect=false \
    --root-ca-file="$work/ours.crt" --allocate-node-cidrs --cluster-cidr=172.16.0.0/16 --service-cluster-ip-range=10.254.0.0/16
  cat >"$work/scheduler.yaml" <<Y
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection: {kubeconfig: $KUBECONFIG, contentType: $1, acceptContentTypes: $1}
leaderElection: {leaderElect: false}
Y
  background scheduler "$bin/kube-scheduler" --config="$work/scheduler.yaml" --secure-port=0
  exercises
  stop_all
}

server() {
  echo "Kubernetes' controller manager and scheduler on our API server, in JSON, with our nodes"
  our_server application/json false
}

defaults() {
  echo "Kubernetes' controller manager and scheduler on our API server, in protobuf, an account for each controller, our nodes"
  our_server application/vnd.kubernetes.protobuf true
}

[ $# -gt 0 ] || set -- controllers scheduler server defaults
for part in "$@"; do
  case $part in
    controllers|scheduler|server|defaults) ;;
    *) echo "swap.sh: unknown argument $part" >&2; exit 2;;
  esac
  before=$failures
  "$part"
  if [ "$failures" -gt "$before" ]; then
    for log in "$work"/*.log; do echo "---- the end of $(basename "$log")"; tail -5 "$log"; done >&2
  fi
done
[ "$failures" -eq 0 ] && echo "swap: all passed" || { echo "swap: $failures failed"; exit 1; }
