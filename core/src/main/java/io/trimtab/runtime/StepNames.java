package io.trimtab.runtime;

/** How a step is called in messages: the class that wrote it, without the noise of a lambda's name. */
final class StepNames {
    private StepNames() {}

    static String of(Runnable step) {
        if (step instanceof NamedStep outer) {
            return of(outer.named());
        }
        String name = step.getClass().getName();
        int lambda = name.indexOf("$$Lambda");
        if (lambda < 0) {
            String text = step.toString();
            return text.startsWith(name + "@") ? name : text;
        }
        return name.substring(0, lambda) + " (lambda)";
    }
}
