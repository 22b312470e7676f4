package io.trimtab.junit;

import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Writes runs down as tests that can be pasted. Pure. */
final class Replays {
    private Replays() {}

    /** A test beside the one that failed, which makes that run only. */
    static String asTest(ExtensionContext context, Run run) {
        Method method = context.getRequiredTestMethod();
        String parameters = Arrays.stream(method.getParameters())
                .map(p -> p.getType().getSimpleName() + " " + p.getName())
                .collect(Collectors.joining(", "));
        String arguments =
                Arrays.stream(method.getParameters()).map(Parameter::getName).collect(Collectors.joining(", "));
        return "@Test\n" + annotation(run) + "\nvoid " + method.getName() + "_inThisOrder(" + parameters + ")"
                + (method.getExceptionTypes().length == 0 ? "" : " throws Exception") + " {\n    " + method.getName()
                + "("
                + arguments + ");\n}";
    }

    static String annotation(Run run) {
        return "@Seed(value = " + run.seed()
                + (run.crash() == null ? "" : ", crash = \"" + run.crash() + "\"")
                + (run.schedule() == null ? "" : ", schedule = \"" + run.schedule() + "\"") + ")";
    }
}
