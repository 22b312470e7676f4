#!/usr/bin/env bash
# Walks through a first cluster with an unmodified kubectl, and fails at the first thing that is not as on Kubernetes.
#
#   walk.sh [--store memory|rocksdb] [--crash] [--keep]
#
# --crash kills the cluster with SIGKILL between each two steps and starts it again on the same data: nothing may be lost.
# --keep leaves the working directory behind. KUBECTL and TRIMTAB name the programs.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
trimtab=${TRIMTAB:-$here/../../trimtab}
kubectl_program=${KUBECTL:-kubectl}
store=memory crash= keep=
while [ $# -gt 0 ]; do
  case $1 in
    --store) store=${2:?--store needs memory or rocksdb}; shift 2;;
    --crash) crash=1; store=rocksdb; shift;;
    --keep) keep=1; shift;;
    *) echo "walk.sh: unknown argument $1" >&2; exit 2;;
  esac
done

work=$(mktemp -d)
export KUBECONFIG=$work/admin.kubeconfig
cluster_pid= node_pid= step_name="starting"
trap 'finish' EXIT

finish() {
  local code=$?
  [ -n "$node_pid" ] && kill "$node_pid" 2>/dev/null
  [ -n "$cluster_pid" ] && kill -9 "$cluster_pid" 2>/dev/null && wait "$cluster_pid" 2>/dev/null
  if [ $code -ne 0 ]; then
    echo "FAILED in step: $step_name" >&2
    echo "---- the end of the cluster's log" >&2
    tail -40 "$work/cluster.log" >&2
  fi
  [ -n "$keep" ] && echo "kept: $work" || rm -rf "$work"
  exit $code
}

fail() { echo "  wrong: $*" >&2; exit 1; }

# Before 1.27, kubectl checked what it sends by a protobuf form of OpenAPI 2 that is not served here: those let the server check.
minor=$("$kubectl_program" version --client -o json 2>/dev/null | sed -nE 's/.*"minor": *"([0-9]+).*/\1/p')
k() {
  case ${minor:-99}:$1 in
    ?:* | 1?:* | 2[0-6]:*)
      case $1:${2:-} in create:-f | replace:* | edit:*) set -- "$1" --validate=false "${@:2}" ;; esac ;;
  esac
  timeout 60 "$kubectl_program" "$@"
}

# expect TEXT COMMAND...: the command succeeds and its output matches the extended regular expression.
expect() {
  local pattern=$1 out; shift
  out=$("$@" 2>&1) || fail "$* failed: $out"
  grep -Eq -- "$pattern" <<<"$out" || fail "$*: expected /$pattern/, found:
$out"
}

# refuse TEXT COMMAND...: the command fails, and says so in these words.
refuse() {
  local pattern=$1 out; shift
  out=$("$@" 2>&1) && fail "$* should have been refused, but: $out"
  grep -Eq -- "$pattern" <<<"$out" || fail "$*: expected a refusal like /$pattern/, found:
$out"
}

# eventually SECONDS TEXT COMMAND...: within the time, the command's output matches.
eventually() {
  local seconds=$1 pattern=$2 out= end; shift 2
  end=$((SECONDS + seconds))
  while :; do
    out=$("$@" 2>&1) && grep -Eq -- "$pattern" <<<"$out" && return 0
    [ $SECONDS -ge $end ] && fail "$*: expected /$pattern/ within $seconds s, found:
$out"
    sleep 0.2
  done
}

free_port() {
  local port
  for port in $(seq "$1" $(($1 + 200))); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

secure_port=$(free_port 16443)
plain_port=$(free_port 18080)

start_cluster() {
  rm -f "$work/ready"
  local flags=(--secure-port "$secure_port" --insecure-port "$plain_port" --kubeconfig "$KUBECONFIG"
    --node-names 10.0.0.12,10.0.0.13 --ready-file "$work/ready" --store "$store")
  [ "$store" = memory ] || flags+=(--data-dir "$work/data")
  "$trimtab" up "${flags[@]}" >>"$work/cluster.log" 2>&1 &
  cluster_pid=$!
  local end=$((SECONDS + 400))
  until [ -f "$work/ready" ]; do
    kill -0 "$cluster_pid" 2>/dev/null || fail "the cluster did not start: $(tail -5 "$work/cluster.log")"
    [ $SECONDS -lt $end ] || fail "the cluster was not ready in time"
    sleep 0.1
  done
}

step() {
  if [ -n "$crash" ] && [ -n "$cluster_pid" ]; then
    kill -9 "$cluster_pid"; wait "$cluster_pid" 2>/dev/null
    start_cluster
  fi
  step_name=$*
  echo "step $*  [$SECONDS s]"
}

pods_of() { k get pods -l "$1" -o 'jsonpath={range .items[?(@.status.phase=="Running")]}{.metadata.name}{"\n"}{end}' | grep -c .; }
ready_replicas() { k get "$1" -o 'jsonpath={.status.readyReplicas}'; }

start_cluster

step "1 nodes"
eventually 60 '10\.0\.0\.12 +Ready +<none> +[0-9a-z]+ +v1\.34' k -s "http://127.0.0.1:$plain_port" get node
expect '10\.0\.0\.13 +Ready +<none> +[0-9a-z]+ +v1\.34' k get nodes

step "2 a pod"
expect 'pod/hello-world created' k create -f "$here/hello.yaml"
expect '^NAME +READY +STATUS +RESTARTS +AGE' k get pods
[ -n "$crash" ] || eventually 60 'hello-world +0/1 +(Pending|ContainerCreating|Completed)' k get pods
eventually 60 'hello-world +0/1 +Completed +0' k get pods
expect 'hello-world +0/1 +Completed +0 +[0-9a-z]+ +172\.16\.[0-9]+\.[0-9]+ +10\.0\.0\.1[23] +<none> +<none>' k get pods -o wide

step "3 its events"
eventually 60 'Started container hello' k describe pod hello-world
events=$(k describe pod hello-world | sed -n '/^Events:/,$p')
order=$(grep -oE 'Scheduled|Pulled|Created|Started' <<<"$events" | uniq | tr '\n' ' ')
[ "$order" = "Scheduled Pulled Created Started " ] || fail "events are not in order: $events"
grep -q 'Scheduled.*default-scheduler.*Successfully assigned default/hello-world to' <<<"$events" || fail "$events"
k run broken --image=foo:1.0 >/dev/null || fail "run"
eventually 60 'broken +0/1 +(ErrImagePull|ImagePullBackOff)' k get pods
eventually 60 'Failed.*Error: ErrImagePull' k describe pod broken
eventually 60 'BackOff.*Back-off pulling image "foo:1.0"' k describe pod broken
eventually 60 'broken +0/1 +ImagePullBackOff' k get pods
expect 'pod "broken" (force )?deleted' k delete pod broken --grace-period=1

step "4 delete, and the same name again"
expect 'pod "hello-world" deleted' k delete -f "$here/hello.yaml"
refuse 'pods "hello-world" not found' k get pod hello-world
expect 'pod/hello-world created' k create -f "$here/hello.yaml"
eventually 60 'hello-world +0/1 +Completed' k get pods
expect 'deleted' k delete -f "$here/hello.yaml"

step "5 a replication controller"
expect 'replicationcontroller/myweb created' k create -f "$here/web-rc.yaml"
expect '^NAME +DESIRED +CURRENT +READY +AGE' k get rc
eventually 60 'myweb +3 +3 +3 ' k get rc
expect '^myweb-[bcdfghjklmnpqrstvwxz2456789]{5} +1/1 +Running' k get pods

step "6 a pod is deleted, a node is lost"
victim=$(k get pods -l app=myweb -o 'jsonpath={.items[0].metadata.name}')
expect "pod \"$victim\" deleted" k delete pod "$victim"
eventually 60 '^3$' pods_of app=myweb
refuse 'not found' k get pod "$victim"
"$trimtab" node --kubeconfig "$KUBECONFIG" --name 10.0.0.14 >"$work/node.log" 2>&1 &
node_pid=$!
eventually 60 '10\.0\.0\.14 +Ready' k get nodes
expect 'tainted' k taint node 10.0.0.14 walk=lost:NoSchedule
k create -f - >/dev/null <<'Y' || fail "create"
apiVersion: v1
kind: ReplicationController
metadata: {name: lost}
spec:
  replicas: 1
  selector: {app: lost}
  template:
    metadata: {labels: {app: lost}}
    spec:
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 100
            preference: {matchFields: [], matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [10.0.0.14]}]}
      tolerations:
      - {key: walk, operator: Exists}
      - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 2}
      - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 2}
      containers: [{name: c, image: nginx}]
Y
eventually 60 'lost-.* 1/1 +Running .*10\.0\.0\.14' k get pods -o wide -l app=lost
kill -9 "$node_pid"; wait "$node_pid" 2>/dev/null; node_pid=
# Kubernetes gives a silent node 50 seconds: what became of it is seen after step 9.

step "7 replace, edit, scale"
k get rc myweb -o yaml | sed 's/^  replicas: 3$/  replicas: 2/' >"$work/myweb.yaml"
expect 'replicationcontroller/myweb replaced' k replace -f "$work/myweb.yaml"
eventually 60 'myweb +2 +2 +2 ' k get rc
printf '#!/bin/sh\nsed -i "s/^  replicas: 2$/  replicas: 4/" "$1"\n' >"$work/editor"; chmod +x "$work/editor"
EDITOR=$work/editor expect 'replicationcontroller/myweb edited' k edit rc myweb
eventually 60 'myweb +4 +4 +4 ' k get rc
expect 'replicationcontroller/myweb scaled' k scale rc myweb --replicas=5
eventually 60 'myweb +5 +5 +5 ' k get rc
expect 'scaled' k scale rc myweb --replicas=3
eventually 60 'myweb +3 +3 +3 ' k get rc

step "8 rolling update, and back"
watch_available() { # notes the fewest ready pods of both controllers until the file is gone
  local least=99 n
  while [ -f "$work/watching" ]; do
    n=$(k get pods -o 'jsonpath={range .items[*]}{.metadata.labels.app}{" "}{.status.conditions[?(@.type=="Ready")].status}{" "}{.metadata.deletionTimestamp}{"\n"}{end}' \
      | grep -cE '^myweb(-2)? True $')
    [ "$n" -lt "$least" ] && least=$n
    echo "$least" >"$work/least"
  done
}
roll() {
  touch "$work/watching"; watch_available & local watcher=$!
  expect "Update succeeded. Deleting $1" "$trimtab" rolling-update "$1" -f "$2" --update-period 500ms --poll-interval 100ms --kubeconfig "$KUBECONFIG"
  rm -f "$work/watching"; wait "$watcher"
  [ "$(cat "$work/least")" -ge 3 ] || fail "only $(cat "$work/least") pods were available"
}
roll myweb "$here/web-rc2.yaml"
refuse 'replicationcontrollers "myweb" not found' k get rc myweb
eventually 60 'myweb-2 +3 +3 +3 ' k get rc
expect 'kubeguide/tomcat-app:v2' k get pods -l app=myweb-2 -o 'jsonpath={.items[*].spec.containers[0].image}'
roll myweb-2 "$here/web-rc.yaml"
refuse 'not found' k get rc myweb-2
eventually 60 'myweb +3 +3 +3 ' k get rc

step "9 a deployment"
expect 'deployment.apps/web created' k create -f "$here/web-deployment.yaml"
expect 'deployment "web" successfully rolled out' k rollout status deployment/web --timeout=55s
expect 'web +3/3 +3 +3 ' k get deployment
expect 'image updated' k set image deployment/web web=nginx:1.26
expect 'successfully rolled out' k rollout status deployment/web --timeout=55s
expect 'image updated' k set image deployment/web web=nginx:1.27
expect 'successfully rolled out' k rollout status deployment/web --timeout=55s
[ "$(k rollout history deployment/web | grep -oE '^[0-9]+' | tr '\n' ' ')" = "1 2 3 " ] || fail "$(k rollout history deployment/web)"
expect 'deployment.apps/web rolled back' k rollout undo deployment/web
expect 'successfully rolled out' k rollout status deployment/web --timeout=55s
expect 'nginx:1.26' k get deployment web -o 'jsonpath={.spec.template.spec.containers[0].image}'
expect 'rolled back' k rollout undo deployment/web --to-revision=1
expect 'successfully rolled out' k rollout status deployment/web --timeout=55s
expect 'nginx:1.25' k get deployment web -o 'jsonpath={.spec.template.spec.containers[0].image}'
[ "$(k rollout history deployment/web | grep -oE '^[0-9]+' | tr '\n' ' ')" = "3 4 5 " ] || fail "$(k rollout history deployment/web)"
expect 'paused' k rollout pause deployment/web
k set image deployment/web web=nginx:1.28 >/dev/null || fail "set image"
eventually 60 '^([0-9]+) \1$' k get deployment web -o 'jsonpath={.status.observedGeneration} {.metadata.generation}'
expect '^0?$' k get deployment web -o 'jsonpath={.status.updatedReplicas}'
expect '^0?$' k get replicaset -l app=web -o 'jsonpath={.items[?(@.spec.template.spec.containers[0].image=="nginx:1.28")].spec.replicas}'
refuse 'cannot rollback a paused deployment' k rollout undo deployment/web
expect 'resumed' k rollout resume deployment/web
expect 'successfully rolled out' k rollout status deployment/web --timeout=55s
expect 'restarted' k rollout restart deployment/web
expect 'successfully rolled out' k rollout status deployment/web --timeout=55s
expect 'NewReplicaSetAvailable' k get deployment web -o 'jsonpath={.status.conditions[?(@.type=="Progressing")].reason}'
expect 'MinimumReplicasAvailable' k get deployment web -o 'jsonpath={.status.conditions[?(@.type=="Available")].reason}'

step_name="6, continued: the lost node's pods are elsewhere"
echo "step $step_name  [$SECONDS s]"
eventually 120 '10\.0\.0\.14 +NotReady' k get nodes
eventually 60 'lost-.* 1/1 +Running .*10\.0\.0\.1[23]' k get pods -o wide -l app=lost
k delete rc lost >/dev/null; k delete node 10.0.0.14 >/dev/null; k delete pods -l app=lost --force --grace-period=0 >/dev/null 2>&1

step "10 a service"
expect 'service/myweb created' k create -f "$here/myweb-svc.yaml"
expect 'kubernetes +ClusterIP +10\.254\.0\.1 +<none> +443/TCP' k get svc
expect 'myweb +NodePort +10\.254\.[0-9]+\.[0-9]+ +<none> +8080:30001/TCP' k get svc
eventually 60 'myweb +172\.16\.[0-9.]+:8080,172\.16\.[0-9.]+:8080,172\.16\.[0-9.]+:8080' k get endpoints myweb
eventually 60 'myweb-.* +IPv4 +8080 +172\.16\.' k get endpointslices
expect 'scaled' k scale rc myweb --replicas=1
eventually 60 'myweb +172\.16\.[0-9.]+:8080 +[0-9a-z]+$' k get endpoints myweb
expect 'scaled' k scale rc myweb --replicas=3
eventually 60 'myweb +3 +3 +3 ' k get rc

step "11 node port, cluster IP, pods: each ready pod answers its share"
k run caller --image=busybox --restart=Never -- sleep 3600 >/dev/null || fail "run"
eventually 60 'caller +1/1 +Running' k get pod caller
answers() { k exec caller -- sh -c "for i in 1 2 3 4 5 6; do wget -qO- -T 2 http://$1/ | grep '^Hostname:'; done" | sort | uniq -c; }
for place in myweb:8080 "$(k get svc myweb -o 'jsonpath={.spec.clusterIP}'):8080" 10.0.0.12:30001; do
  [ "$(answers "$place" | grep -cE '^ +2 Hostname: myweb-')" = 3 ] || fail "$place: $(answers "$place")"
done

step "12 selectors"
for t in 'a front-end stable' 'b back-end stable' 'c back-end canary'; do
  set -- $t
  k run "sel-$1" --image=nginx --labels="tier=$2,release_track=$3" >/dev/null || fail "run"
done
names() { k get pods -l "$1" -o name | tr '\n' ' '; }
[ "$(names 'tier=back-end,release_track=canary')" = "pod/sel-c " ] || fail "$(names 'tier=back-end,release_track=canary')"
[ "$(names 'tier in (back-end,front-end),release_track notin (canary)')" = "pod/sel-a pod/sel-b " ] || fail "in, notin"
[ "$(names 'tier,release_track!=stable')" = "pod/sel-c " ] || fail "exists, !="
[ "$(names '!tier,app=myweb' | wc -w)" = 3 ] || fail "not exists"
refuse 'unable to parse requirement' k get pods -l 'tier in back-end'
k delete pods -l tier --grace-period=1 >/dev/null || fail "delete"

step "13 all namespaces"
expect '^NAMESPACE +NAME +READY +UP-TO-DATE +AVAILABLE +AGE' k get deployment --all-namespaces
expect '^NAMESPACE +NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE' k get svc --all-namespaces
expect '^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES' k get pod -o wide --all-namespaces

step "15 autoscaler, quota, limit range, network policy, RBAC"
k create -f - >/dev/null <<'Y' || fail "busy"
apiVersion: apps/v1
kind: Deployment
metadata: {name: busy}
spec:
  replicas: 1
  selector: {matchLabels: {app: busy}}
  template:
    metadata: {labels: {app: busy}, annotations: {simulation.trimtab.io/cpu: 200m}}
    spec: {containers: [{name: busy, image: nginx, resources: {requests: {cpu: 100m}}}]}
Y
expect 'autoscaled' k autoscale deployment busy --cpu-percent=50 --min=1 --max=3
expect 'created' k create namespace limited
expect 'created' k create quota few -n limited --hard=configmaps=3,pods=2
eventually 60 'configmaps: [0-9]/3' k get quota few -n limited
expect 'created' k create configmap one -n limited
eventually 60 '' k create configmap two -n limited
refuse 'exceeded quota: few, requested: configmaps=1, used: configmaps=3, limited: configmaps=3' k create configmap three -n limited
k create -f - >/dev/null <<'Y' || fail "limit range"
apiVersion: v1
kind: LimitRange
metadata: {name: small, namespace: limited}
spec: {limits: [{type: Container, max: {memory: 1Gi}, default: {memory: 512Mi}, defaultRequest: {memory: 256Mi}}]}
Y
k run tiny -n limited --image=nginx >/dev/null || fail "run"
expect '256Mi 512Mi' k get pod tiny -n limited -o 'jsonpath={.spec.containers[0].resources.requests.memory} {.spec.containers[0].resources.limits.memory}'
refuse 'maximum memory usage per Container is 1Gi, but limit is 2Gi' k create -f - -n limited <<'Y'
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"big"},"spec":{"containers":[{"name":"c","image":"nginx","resources":{"limits":{"memory":"2Gi"},"requests":{"memory":"1Gi"}}}]}}
Y
k create -f - -n limited >/dev/null <<'Y' || fail "network policy"
{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"none"},"spec":{"podSelector":{}}}
Y
expect 'none +<none> ' k get netpol -n limited
eventually 60 'tiny +1/1 +Running' k get pod tiny -n limited
tiny=$(k get pod tiny -n limited -o 'jsonpath={.status.podIP}')
refuse 'download timed out' k exec caller -- wget -qO- -T 1 "http://$tiny/"
k create -f - -n limited >/dev/null <<'Y' || fail "network policy"
{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"callers"},"spec":{"podSelector":{},"ingress":[{"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"default"}},"podSelector":{"matchLabels":{"run":"caller"}}}],"ports":[{"port":80}]}]}}
Y
expect 'Welcome to nginx' k exec caller -- wget -qO- -T 1 "http://$tiny/"
k label pod caller run=other --overwrite >/dev/null || fail "label"
refuse 'download timed out' k exec caller -- wget -qO- -T 1 "http://$tiny/"
expect 'created' k create serviceaccount reader -n limited
expect 'created' k create role read -n limited --verb=get,list --resource=pods
expect 'created' k create rolebinding read -n limited --role=read --serviceaccount=limited:reader
# kubectl create token does the same, but is younger than some kubectls that distributions have.
token=$(k create --raw /api/v1/namespaces/limited/serviceaccounts/reader/token -f - <<'Y' | sed -nE 's/.*"token": ?"([^"]+)".*/\1/p'
{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}
Y
)
[ -n "$token" ] || fail "token"
as_reader() { k --kubeconfig /dev/null --server "https://127.0.0.1:$secure_port" --insecure-skip-tls-verify --token "$token" "$@"; }
expect 'tiny' as_reader get pods -n limited
refuse 'cannot list resource "secrets" in API group "" in the namespace "limited"' as_reader get secrets -n limited
refuse 'pods is forbidden' as_reader get pods -n default
expect 'yes' k auth can-i list pods -n limited --as=system:serviceaccount:limited:reader
refuse 'no' k auth can-i delete pods -n limited --as=system:serviceaccount:limited:reader
eventually 60 '^busy-.* 200m +16Mi' k top pods --no-headers -l app=busy
# It grows by what its pods use, as far as it may, and does not shrink while they do.
eventually 90 'Deployment/busy +(cpu: )?200%/50% +1 +3 +3 ' k get hpa busy
eventually 30 'busy +3/3' k get deployment busy
expect 'New size: [23]; reason: cpu resource utilization \(percentage of request\) above target' k describe hpa busy
expect 'deleted' k delete deployment/busy hpa/busy
expect 'namespace "limited" deleted' k delete namespace limited --timeout=60s
refuse 'namespaces "limited" not found' k get namespace limited

step_name="stopping"
kill -TERM "$cluster_pid"
end=$((SECONDS + 30))
while kill -0 "$cluster_pid" 2>/dev/null; do
  [ $SECONDS -lt $end ] || fail "the cluster did not stop within 30 s"
  sleep 0.1
done
wait "$cluster_pid"; code=$?; cluster_pid=
[ $code -eq 143 ] || [ $code -eq 0 ] || fail "SIGTERM ended the cluster with code $code"
echo "walk: all steps passed (store $store${crash:+, killed between steps})"
