#!/usr/bin/env bash
# Generates an operator of each flavour from this checkout's archetype and builds it with its tests. Needs the JARs of
# "mvn verify" (or package). Writes to a scratch directory and a scratch repository only.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
version=$(sed -n 's:.*<version>\(.*\)</version>.*:\1:p' pom.xml | head -1)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
repository=$scratch/repository

# What "install" would do, without touching the user's repository.
place() { # place DIRECTORY ARTIFACT [JAR]
  local to=$repository/io/trimtab/$2/$version
  mkdir -p "$to"
  cp "$1/pom.xml" "$to/$2-$version.pom"
  [ -z "${3:-}" ] || cp "$1/target/$2-$version.jar" "$to/"
}
place . trimtab-parent
place bom trimtab-bom
for module in core:trimtab-core apiserver:trimtab-apiserver controllers:trimtab-controllers \
  scheduler-plugin:trimtab-scheduler node-agent:trimtab-node-agent standalone:trimtab-standalone testing:trimtab-junit \
  josdk:trimtab-josdk archetype:trimtab-operator-archetype; do
  place "${module%%:*}" "${module#*:}" jar
done

# Everything else comes from the user's repository, read as a remote one, or from where that has it.
cat >"$scratch/settings.xml" <<XML
<settings>
  <profiles><profile><id>seen</id>
    <repositories><repository><id>seen</id><url>file://${HOME}/.m2/repository</url>
      <releases><checksumPolicy>ignore</checksumPolicy></releases><snapshots><enabled>false</enabled></snapshots>
    </repository></repositories>
    <pluginRepositories><pluginRepository><id>seen</id><url>file://${HOME}/.m2/repository</url>
      <releases><checksumPolicy>ignore</checksumPolicy></releases><snapshots><enabled>false</enabled></snapshots>
    </pluginRepository></pluginRepositories>
  </profile></profiles>
  <activeProfiles><activeProfile>seen</activeProfile></activeProfiles>
</settings>
XML
run() { mvn -B -q -ntp -s "$scratch/settings.xml" -Dmaven.repo.local="$repository" "$@"; }

for flavour in trimtab josdk; do
  cd "$scratch"
  run org.apache.maven.plugins:maven-archetype-plugin:3.4.1:generate -DarchetypeCatalog=local \
    -DarchetypeGroupId=io.trimtab -DarchetypeArtifactId=trimtab-operator-archetype -DarchetypeVersion="$version" \
    -DgroupId=com.example -DartifactId="hello-$flavour" -Dpackage=com.example.hello \
    -Dkind=Hello -Dgroup=example.com -Dflavour="$flavour" -DtrimtabVersion="$version"
  cd "hello-$flavour"
  run verify >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
  definition=target/classes/META-INF/fabric8/hellos.example.com-v1.yml
  [ -s "$definition" ] || { echo "check.sh: $flavour: no $definition"; exit 1; }
  tests=$(cat target/surefire-reports/*.xml | grep -c '<testcase ')
  [ "$tests" -ge 2 ] || { echo "check.sh: $flavour: only $tests tests ran"; exit 1; }
  echo "archetype: $flavour generated, built, $tests tests passed"
done
