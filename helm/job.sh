# Sourced by the scripts that run a Job of a release: where the release is, and whether its Job has ended.
namespace=${NAMESPACE:-credit} release=${RELEASE:-platform}
kubectl() { command kubectl --namespace "$namespace" "$@"; }

# job_has_ended JOB: whether it has ended, or is gone. If kubectl gets no answer, it has not, and the caller asks again.
job_has_ended() {
  found=$(kubectl get job "$1" --ignore-not-found --output 'jsonpath=there {.status.conditions[?(@.status=="True")].type}') || return 1
  [[ -z $found || $found =~ Complete|Failed ]]
}

# job_has_succeeded JOB
job_has_succeeded() { [[ $(kubectl get job "$1" --output 'jsonpath={.status.succeeded}') = 1 ]]; }
