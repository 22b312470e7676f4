package io.trimtab.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.standalone.cli.Trimtab;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class CommandLineTest {

    private static String refusal(String... args) {
        StringWriter err = new StringWriter();
        CommandLine line = Trimtab.commandLine().setErr(new PrintWriter(err, true));
        assertThat(line.execute(args)).as(String.join(" ", args)).isNotZero();
        return err.toString().strip();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "up --foo | Unknown option: '--foo'",
                "up --secure-port 99999 | 99999 is no port; give one of 0 to 65535",
                "up --secure-port x | Invalid value for option '--secure-port'",
                "up --store paper | --store: \"paper\" is not one of memory, rocksdb",
                "up --controllers foo | \"foo\" is not in the list of known controllers",
                "up --runtime cri | --runtime: \"cri\" is not available; give simulated",
                "up --nodes -1 | --nodes: -1 is no count; give 0 or more",
                "up --pod-cidr x --secure-port 0 | --pod-cidr: \"x\" is no CIDR",
                "apiserver --secure-port 0 --authorization-mode X | authorization-mode \"X\" is not a valid mode",
                "apiserver --secure-port 0 --authorization-mode ABAC | authorization-mode ABAC's authorization policy file"
                        + " not passed",
                "apiserver --secure-port 0 --authorization-mode RBAC,RBAC | authorization-mode [\"RBAC\" \"RBAC\"] has"
                        + " mode specified more than once",
                "apiserver --secure-port 0 --authorization-policy-file /nowhere | cannot specify"
                        + " --authorization-policy-file without mode ABAC",
                "apiserver --secure-port 0 --authorization-mode ABAC --authorization-policy-file /nowhere | invalid"
                        + " authorization config: open /nowhere: no such file or directory",
                "apiserver --secure-port 0 --enable-admission-plugins Foo | plugin \"Foo\" is unknown",
                "apiserver --secure-port 0 --service-cidr x | --service-cidr x",
                "apiserver --secure-port 0 --token-auth-file /nowhere | --token-auth-file /nowhere cannot be read",
                "rolling-update old | must specify --filename or --image for new controller",
                "rolling-update old -f a --image b | --filename and --image can not both be specified",
                "rolling-update old -f a --update-period soon | \"soon\" is no time",
                "node --name n --kubeconfig /nowhere | --kubeconfig: /nowhere cannot be read",
                "controller-manager --kubeconfig /nowhere | --kubeconfig: /nowhere cannot be read",
                "up --feature-gates Foo=true | unrecognized feature gate: Foo",
                "apiserver --feature-gates KMSv1 | missing bool value for KMSv1",
                "apiserver --feature-gates APIServerTracing=false | cannot set feature gate APIServerTracing to false,"
                        + " feature is locked to true",
                "controller-manager --feature-gates Foo=true | unrecognized feature gate: Foo",
                "scheduler --feature-gates KMSv1=maybe | invalid value of KMSv1=maybe, err: strconv.ParseBool: parsing",
                "node --name n --feature-gates Foo=true | unrecognized feature gate: Foo",
                "dance | Unmatched argument at index 0: 'dance'",
            })
    void givenAMistake_whenTheCommandRuns_thenOneLineNamesItAndTheMend(String args, String words) {
        String refusal = refusal(args.split(" "));
        assertThat(refusal).contains(words).startsWith("trimtab").hasLineCount(1);
    }

    @Test
    void givenAStoreWithoutAWritableDirectory_whenItIsOpened_thenOneLineSaysWhy(@TempDir Path directory) {
        // A file where a directory should be: refused to everybody, also to root.
        Path file = directory.resolve("file");
        assertThat(file.toFile()).doesNotExist();
        write(file);
        assertThat(refusal("apiserver", "--secure-port", "0", "--data-dir", file.toString()))
                .contains(file.toString())
                .startsWith("trimtab apiserver")
                .hasLineCount(1);
    }

    private static void write(Path file) {
        try {
            java.nio.file.Files.writeString(file, "x");
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
