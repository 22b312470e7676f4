package io.trimtab.standalone.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** {@code docs/reference/options.md} says what the commands say of themselves; {@code -Dtrimtab.reference=write} writes it anew. */
class OptionsReferenceTest {
    private static final Path PAGE = Path.of("../docs/reference/options.md");

    @Test
    void givenTheCommands_whenTheReferenceIsRead_thenItHasEachOptionOfEachCommand() throws IOException {
        String page = page(Trimtab.commandLine());
        if ("write".equals(System.getProperty("trimtab.reference"))) {
            Files.createDirectories(PAGE.getParent());
            Files.writeString(PAGE, page);
        }
        assertThat(Files.readString(PAGE))
                .as("write it anew: mvn -B -pl standalone -am test -Dtest=OptionsReferenceTest"
                        + " -Dsurefire.failIfNoSpecifiedTests=false -DargLine=-Dtrimtab.reference=write")
                .isEqualTo(page);
    }

    private static String page(CommandLine program) {
        StringBuilder page = new StringBuilder("# Options\n\n"
                + "Every option of every command, as `--help` tells it. Durations are Go's: `90s`, `1h30m`.\n\n");
        inner(program.getCommandSpec(), page);
        return page.toString().stripTrailing() + "\n";
    }

    private static void inner(CommandSpec command, StringBuilder page) {
        command.subcommands().values().stream()
                .map(CommandLine::getCommandSpec)
                .distinct()
                .filter(each -> !each.usageMessage().hidden())
                .forEach(each -> describe(each, page));
    }

    private static void describe(CommandSpec command, StringBuilder page) {
        page.append("## ").append(command.qualifiedName()).append("\n\n");
        page.append(text(command.usageMessage().description())).append("\n\n");
        List<PositionalParamSpec> arguments = command.positionalParameters();
        List<OptionSpec> options = command.options().stream()
                .filter(option -> !option.hidden() && !option.usageHelp() && !option.versionHelp())
                .sorted(Comparator.comparing(OptionSpec::longestName))
                .toList();
        if (!arguments.isEmpty() || !options.isEmpty()) {
            page.append("| option | default | what it says |\n|---|---|---|\n");
            for (PositionalParamSpec argument : arguments) {
                row(argument.paramLabel(), "", text(argument.description()), page);
            }
            for (OptionSpec option : options) {
                String name =
                        String.join(", ", option.names()) + (option.arity().max() > 0 ? " " + option.paramLabel() : "");
                row(name, byDefault(option), text(option.description()), page);
            }
            page.append('\n');
        }
        inner(command, page);
    }

    private static void row(String name, String byDefault, String text, StringBuilder page) {
        assertThat(text).as("what " + name + " says of itself").isNotBlank();
        page.append("| `").append(name.replace("|", "\\|")).append("` | ");
        page.append(byDefault.isEmpty() ? "" : "`" + byDefault.replace("|", "\\|") + "`");
        page.append(" | ").append(text.replace("|", "\\|")).append(" |\n");
    }

    private static String byDefault(OptionSpec option) {
        String value = option.defaultValue() == null ? option.defaultValueString() : option.defaultValue();
        boolean isNone = value == null || value.isEmpty() || value.equals("null") || value.equals("[]");
        boolean isFlag = option.arity().max() == 0 || "false".equals(value);
        return isNone || isFlag ? "" : value;
    }

    private static String text(String[] lines) {
        return String.join(" ", lines)
                .replaceAll(" ?\\((?:default|Default):? \\$\\{DEFAULT-VALUE}\\)", "")
                .replaceAll("[,;]? ?default:? \\$\\{DEFAULT-VALUE}", "")
                .replace("%n", " ")
                .replace("%%", "%")
                .strip();
    }
}
