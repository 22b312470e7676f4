package io.trimtab.controllers;

import io.fabric8.kubernetes.client.Config;
import io.trimtab.controller.ManagerProgram;
import io.trimtab.controllers.certificates.Signers;
import io.trimtab.controllers.nodeipam.NodeIpamController;
import io.trimtab.controllers.serviceaccounttoken.TokenKey;
import io.trimtab.encoding.GoDuration;
import io.trimtab.program.ProgramFlags;
import io.trimtab.program.Programs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The controllers as a program, against any API server. Blocks until it is asked to end. */
@Command(
        name = "controller-manager",
        description = "Runs the controllers against the API server of a kubeconfig.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class ControllerManager implements Callable<Integer> {

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ProgramFlags program = new ProgramFlags();

    @Option(
            names = "--controllers",
            split = ",",
            defaultValue = "*",
            paramLabel = "NAME",
            description =
                    "Which to run: '*' for all that are on by default, 'name' for one, '-name' for all but that one.")
    private List<String> controllers = List.of("*");

    @Option(
            names = "--leader-elect",
            arity = "0..1",
            fallbackValue = "true",
            defaultValue = "false",
            description = "Work only while holding the lease kube-system/kube-controller-manager.",
            paramLabel = "true|false")
    private boolean leaderElect;

    @Option(
            names = "--use-service-account-credentials",
            arity = "0..1",
            fallbackValue = "true",
            defaultValue = "false",
            description = "Let each controller act as its own ServiceAccount of kube-system.",
            paramLabel = "true|false")
    private boolean useServiceAccountCredentials;

    @Option(
            names = "--root-ca-file",
            paramLabel = "FILE",
            description = "Certificates published to each namespace; default: those of the kubeconfig.")
    private @Nullable Path rootCaFile;

    @Option(
            names = "--service-account-private-key-file",
            paramLabel = "FILE",
            description =
                    "RSA or EC key to sign the tokens of Secrets with; default: the API server is asked for them.")
    private @Nullable Path serviceAccountKeyFile;

    @Option(
            names = "--legacy-service-account-token-clean-up-period",
            defaultValue = "8760h",
            paramLabel = "TIME",
            description = "For how long tokens of Secrets must not have been used to be cleared away.")
    private String unusedTokens = "8760h";

    @Mixin
    private SigningFlags signing = new SigningFlags();

    @Option(
            names = "--allocate-node-cidrs",
            arity = "0..1",
            fallbackValue = "true",
            defaultValue = "false",
            description = "Give each node a range of pod addresses.",
            paramLabel = "true|false")
    private boolean allocateNodeCidrs;

    @Option(
            names = "--cluster-cidr",
            split = ",",
            defaultValue = "172.16.0.0/16",
            paramLabel = "CIDR",
            description = "Where the nodes' ranges come from: one range, or one of each family.")
    private List<String> clusterCidrs = List.of();

    @Option(
            names = "--service-cluster-ip-range",
            split = ",",
            paramLabel = "CIDR",
            description = "Addresses of Services, which no node is given.")
    private List<String> serviceCidrs = List.of();

    @Option(
            names = {"--node-cidr-mask-size", "--node-cidr-mask-size-ipv4"},
            defaultValue = "24",
            paramLabel = "BITS",
            description = "Prefix length of a node's IPv4 range.")
    private int nodeMaskIpv4;

    @Option(
            names = "--node-cidr-mask-size-ipv6",
            defaultValue = "64",
            paramLabel = "BITS",
            description = "Prefix length of a node's IPv6 range.")
    private int nodeMaskIpv6;

    /** Runs the program; the process ends with its exit code. */
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    /** The command with its error texts, for use in another command line. */
    public static CommandLine commandLine() {
        return Programs.commandLine(new ControllerManager());
    }

    @Override
    public Integer call() {
        Config config = program.connection();
        ControllerTable.Options table = tableOptions(config).withFeatures(program.features());
        try {
            ControllerTable.check(controllers);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        return ManagerProgram.run(
                config,
                new ManagerProgram.Options(
                        "kube-controller-manager",
                        leaderElect,
                        program.client(),
                        useServiceAccountCredentials ? ControllerTable.serviceAccounts() : Set.of()),
                manager -> ControllerTable.addTo(manager, controllers, table));
    }

    private ControllerTable.Options tableOptions(Config config) {
        ControllerTable.Options table = new ControllerTable.Options(rootCertificates(config));
        if (serviceAccountKeyFile != null) {
            try {
                table = table.withTokenKey(TokenKey.fromPem(Files.readString(serviceAccountKeyFile)));
            } catch (IOException | IllegalArgumentException e) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--service-account-private-key-file " + serviceAccountKeyFile + ": " + e.getMessage(),
                        e);
            }
        }
        table = table.withUnusedTokens(unusedTokens());
        Signers signers = signing.signers(spec);
        if (signers != null) {
            table = table.withSigners(signers);
        }
        if (!allocateNodeCidrs) {
            return table;
        }
        try {
            return table.withNodeRanges(
                    new NodeIpamController.Ranges(clusterCidrs, serviceCidrs, nodeMaskIpv4, nodeMaskIpv6));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--cluster-cidr: " + e.getMessage(), e);
        }
    }

    private Duration unusedTokens() {
        return GoDuration.parse(unusedTokens)
                .filter(time -> !time.isNegative() && !time.isZero())
                .orElseThrow(() -> new ParameterException(
                        spec.commandLine(),
                        "--legacy-service-account-token-clean-up-period: \"" + unusedTokens
                                + "\" is no duration; give one such as 8760h"));
    }

    private String rootCertificates(Config config) {
        try {
            if (rootCaFile != null) {
                return Files.readString(rootCaFile);
            }
            if (config.getCaCertData() != null) {
                return new String(Base64.getMimeDecoder().decode(config.getCaCertData()), StandardCharsets.US_ASCII);
            }
            return config.getCaCertFile() == null ? "" : Files.readString(Path.of(config.getCaCertFile()));
        } catch (IOException e) {
            throw new ParameterException(
                    spec.commandLine(), "--root-ca-file " + rootCaFile + " cannot be read: " + e.getMessage(), e);
        }
    }
}
