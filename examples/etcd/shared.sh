#!/usr/bin/env bash
# Our API server and Kubernetes' own on one etcd, at the same time: each writes one object of most kinds, then everything is
# read from both and compared; a node port or an address that one has given out the other must not.
#   KUBE_APISERVER=/path/to/kube-apiserver examples/etcd/shared.sh
# Needs etcd, kubectl, openssl and python3 on the PATH, and ./trimtab built. TRIMTAB names another way to start ours.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${KUBE_APISERVER:?names the real kube-apiserver of Kubernetes 1.34}"
trimtab=${TRIMTAB:-./trimtab}
port=${PORT:-17770}
home=$(mktemp -d)
pids=()
stop() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$home"
}
trap stop EXIT
await() { # FILE
  for _ in $(seq 300); do [ -e "$1" ] && return; sleep 0.1; done
  echo "did not start: $1"; tail -5 "$home"/*.log; exit 1
}

etcd=http://127.0.0.1:$port
etcd --data-dir "$home/etcd" --listen-client-urls $etcd --advertise-client-urls $etcd \
  --listen-peer-urls http://127.0.0.1:$((port + 1)) --initial-advertise-peer-urls http://127.0.0.1:$((port + 1)) \
  --initial-cluster default=http://127.0.0.1:$((port + 1)) --log-level error >"$home/etcd.log" 2>&1 &
pids+=($!)

ours=$home/ours.kubeconfig
$trimtab apiserver --data-dir "$home/trimtab" --etcd-servers $etcd --secure-port $((port + 2)) \
  ${OURS_ARGS:-} --kubeconfig "$ours" --ready-file "$home/ready" >"$home/ours.log" 2>&1 &
pids+=($!)
await "$home/ready"

openssl genrsa -out "$home/sa.key" 2048 2>/dev/null
"$KUBE_APISERVER" --etcd-servers=$etcd --secure-port=$((port + 3)) --bind-address=127.0.0.1 \
  --advertise-address=127.0.0.1 --cert-dir="$home/certs" --client-ca-file="$home/trimtab/pki/ca.crt" \
  --service-cluster-ip-range=10.254.0.0/16 --service-account-issuer=https://kubernetes.default.svc \
  --service-account-key-file="$home/sa.key" --service-account-signing-key-file="$home/sa.key" \
  --authorization-mode=Node,RBAC --endpoint-reconciler-type=none ${REAL_ARGS:-} >"$home/real.log" 2>&1 &
pids+=($!)
real=$home/real.kubeconfig
sed "s#server: .*#server: https://127.0.0.1:$((port + 3))#; s/certificate-authority-data:.*/insecure-skip-tls-verify: true/" \
  "$ours" >"$real"
for _ in $(seq 300); do
  kubectl --kubeconfig "$real" get --raw /readyz >/dev/null 2>&1 && { touch "$home/real.ready"; break; }
  sleep 0.2
done
await "$home/real.ready"

for who in real ours; do
  config=${!who}
  kubectl --kubeconfig "$config" create namespace shared-$who >/dev/null
  sed "s/WHO/$who/g" examples/etcd/cluster-objects.yaml | kubectl --kubeconfig "$config" apply --server-side -f - >/dev/null
  sed "s/WHO/$who/g; s/namespace: shared/namespace: shared-$who/" examples/etcd/objects.yaml |
    kubectl --kubeconfig "$config" apply -f - >/dev/null
done
sleep 3 # both servers learn of both definitions
for who in real ours; do
  for defined in real ours; do
    printf 'apiVersion: shared.example.com/v1\nkind: Widget%s\nmetadata: {name: by-%s, namespace: shared-%s}\nspec: {odd: {z: 1, a: [1.50, 2]}}\n' \
      $defined $who $who | kubectl --kubeconfig "${!who}" apply -f - >/dev/null
  done
done

# Each changes what the other made.
kubectl --kubeconfig "$ours" -n shared-real patch deployment web --type merge -p '{"spec":{"replicas":5}}' >/dev/null
kubectl --kubeconfig "$real" -n shared-ours patch deployment web --type merge -p '{"spec":{"replicas":6}}' >/dev/null
kubectl --kubeconfig "$ours" -n shared-real delete configmap c >/dev/null
kubectl --kubeconfig "$real" -n shared-ours delete configmap c >/dev/null
sleep 1
examples/etcd/same.py "$real" "$ours"

# What one has given out, the other refuses.
for pair in real:ours ours:real; do
  from=${pair%:*}; to=${pair#*:}
  taken=$(kubectl --kubeconfig "${!from}" -n shared-$from get service web -o jsonpath='{.spec.ports[0].nodePort}')
  ip=$(kubectl --kubeconfig "${!from}" -n shared-$from get service web -o jsonpath='{.spec.clusterIP}')
  for flags in "nodeport again --tcp=80 --node-port=$taken" "clusterip again --tcp=80 --clusterip=$ip"; do
    if kubectl --kubeconfig "${!to}" -n shared-$to create service $flags >"$home/refused" 2>&1; then
      echo "$to gave out what $from had: $flags"; exit 1
    fi
    grep -q "already allocated" "$home/refused" || { cat "$home/refused"; exit 1; }
  done
done
echo "node ports and addresses: given out once"
