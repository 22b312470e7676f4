package io.trimtab.node.simulated;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShellTest {
    private final StringBuilder output = new StringBuilder();
    private final FileTree disk = FileView.newDisk();
    private final List<Duration> sleeps = new ArrayList<>();

    /** Runs a script, but not for ever; returns how it ended. */
    private int run(String script) {
        Shell.World world =
                new Shell.World(new FileView(disk, false, List.of()), () -> Instant.EPOCH, "pod-1", 0, Map.of());
        Map<String, String> environment = new LinkedHashMap<>(Map.of("NAME", "value", "INDEX", "3"));
        Shell shell =
                new Shell(world, environment, output::append, output::append).command(List.of("sh", "-c", script));
        for (Duration sleep = shell.run(); sleep != null && sleeps.size() < 10; sleep = shell.run()) {
            sleeps.add(sleep);
        }
        return shell.status();
    }

    private String printed(String script) {
        run(script);
        return output.toString();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '@',
            value = {
                "exit 3 @ 3",
                "false @ 1",
                "false || true @ 0",
                "true && false @ 1",
                "! false @ 0",
                "exit $(( 32000 / 16384 )) @ 1",
                "if [ $(expr ${INDEX} % 2) -ne 0 ]; then exit 7; else exit 8; fi @ 7",
                "[[ \"$( cat /var/tmp/ready )\" == \"\" ]] @ 0",
                "test -d /tmp && test ! -e /nothing @ 0",
                "set -e; false; exit 0 @ 1",
                "set -e; if false; then :; fi; exit 4 @ 4",
                "f() { return 6; }; f @ 6",
                "(exit 5); exit $? @ 5",
                "case $NAME in v*) exit 9;; *) exit 1;; esac @ 9",
                "for i in 1 2 3; do [ $i = 2 ] && exit $i; done @ 2",
                "sh -c 'exit 2' @ 2",
                "cat /nothing @ 1",
                "echo one | grep -q two @ 1",
                "until true; do exit 3; done @ 0",
                "echo ( @ 2",
            })
    void givenAScript_whenItIsRun_thenItEndsAsAShellEndsIt(String script, int code) {
        assertThat(run(script)).isEqualTo(code);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '@',
            ignoreLeadingAndTrailingWhitespace = true,
            value = {
                "echo $NAME @ value",
                "echo \"a  b\" c @ a  b c",
                "echo ${MISSING:-other} ${NAME:+set} @ other set",
                "echo $((2 + 3 * 4)) @ 14",
                "echo ${NAME%ue}-${NAME#v} @ val-alue",
                "echo `echo nested` @ nested",
                "printf '%s-%d' a 7 @ a-7",
                "X=1; X=2 env >/dev/null; echo $X @ 1",
                "echo hi > /tmp/a; cat /tmp/a; cat < /tmp/a >/dev/null @ hi",
                "seq 1 5 > /tmp/n; tail -n 1 /tmp/n @ 5",
                "cd /tmp; pwd @ /tmp",
                "set -- a b c; shift; echo $1 $# @ b 2",
                "echo hello >> /tmp/f; wc -l /tmp/f | awk {'print $1'} @ 1",
                "i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i @ 3",
                "echo 'a b' / \"$NAME\" \\$NAME @ a b / value $NAME",
                "cd /tmp; mkdir d; ln -s d l; echo hi > l/f; cat d/f; stat -c %A l; readlink l; cat /tmp/l/f @ hi lrwxrwxrwx d hi",
                "mkdir /tmp/d; ln -s /tmp/d /tmp/l; rm /tmp/l; ls -d /tmp/d; [ -L /tmp/l ] || echo gone @ /tmp/d gone",
                "ln -s /nothing /tmp/l; [ -e /tmp/l ] || echo dangles; [ -L /tmp/l ] && echo link; rm -r /tmp/l; ls /tmp @ dangles link",
                "ln -s /tmp/b /tmp/a; ln -s /tmp/a /tmp/b; cat /tmp/a 2>/dev/null || echo round @ round",
                "mkdir -p /data/x; touch /data/x/1 /data/x/2; echo /data/x/* @ /data/x/1 /data/x/2",
            })
    void givenAScript_whenItIsRun_thenItPrintsWhatAShellPrints(String script, String text) {
        assertThat(printed(script).strip().replace('\n', ' ')).isEqualTo(text);
    }

    @Test
    void givenSleeps_whenRun_thenTheyAreToldOneByOne() {
        run("sleep 1; sleep 2m");
        assertThat(sleeps).containsExactly(Duration.ofSeconds(1), Duration.ofMinutes(2));
    }

    @Test
    void givenALoopWithoutEnd_whenRun_thenItGivesWay() {
        run("while true; do :; done");
        assertThat(sleeps).hasSize(10);
    }

    @Test
    void givenAnUnknownProgram_whenRun_thenItIsAServer() {
        run("/opt/server --port 80");
        assertThat(sleeps.get(0)).isEqualTo(Shell.FOREVER);
    }

    @Test
    void givenAHereDocument_whenRead_thenItsLinesAreTheInput() {
        assertThat(printed("cat <<EOF\none $NAME\ntwo\nEOF\necho three")).isEqualTo("one value\ntwo\nthree\n");
    }

    @Test
    void givenAnExitTrap_whenTheScriptEnds_thenItRuns() {
        assertThat(run("trap 'echo bye' EXIT; exit 3")).isEqualTo(3);
        assertThat(output).hasToString("bye\n");
    }
}
