package io.trimtab.junit;

import io.trimtab.junit.fault.AnyFault;
import io.trimtab.junit.fault.CrashAtEveryWrite;
import io.trimtab.junit.fault.Fault;
import io.trimtab.junit.fault.Strikes;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.Spliterators;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * What the annotations of the fault kit do: makes the runs of a test one after the other, each depending on how those before it
 * went. Stateless: the sequence lives in JUnit's store of the test.
 */
public final class FaultRuns implements TestTemplateInvocationContextProvider {

    @Override
    public boolean supportsTestTemplate(ExtensionContext context) {
        return true;
    }

    @Override
    public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(ExtensionContext context) {
        RunSequence sequence = sequence(context);
        context.getStore(TrimtabExtension.NAMESPACE).put(RunSequence.class, sequence);
        // Lazy: JUnit asks for the next run when the last one is over.
        return StreamSupport.stream(
                new Spliterators.AbstractSpliterator<TestTemplateInvocationContext>(Long.MAX_VALUE, 0) {
                    @Override
                    public boolean tryAdvance(Consumer<? super TestTemplateInvocationContext> action) {
                        Run run = sequence.next();
                        if (run == null) {
                            return false;
                        }
                        context.getStore(TrimtabExtension.NAMESPACE).put(Run.class, run);
                        action.accept(new TestTemplateInvocationContext() {
                            @Override
                            public String getDisplayName(int index) {
                                return "[" + index + "] " + (run.isGood() ? "nothing goes wrong, " : "")
                                        + run.describe();
                            }
                        });
                        return true;
                    }
                },
                false);
    }

    private static RunSequence sequence(ExtensionContext context) {
        Method method = context.getRequiredTestMethod();
        boolean crashes = false;
        int atMost = 0;
        int runs = 0;
        int orders = 0;
        Set<Fault> faults = EnumSet.noneOf(Fault.class);
        for (Annotation annotation : method.getAnnotations()) {
            if (annotation instanceof CrashAtEveryWrite crash) {
                crashes = true;
                atMost = crash.atMost();
            } else if (annotation instanceof AnyFault any) {
                faults.addAll(any.value().length == 0 ? EnumSet.allOf(Fault.class) : List.of(any.value()));
                runs = Math.max(runs, any.runs());
            } else if (annotation instanceof Interleavings interleavings) {
                orders = interleavings.runs();
            }
            Strikes strikes = annotation.annotationType().getAnnotation(Strikes.class);
            if (strikes != null) {
                faults.addAll(List.of(strikes.value()));
                runs = Math.max(runs, runsOf(annotation));
            }
        }
        Seed seed = seedOf(context);
        long first = TrimtabExtension.seed(context);
        String crash = System.getProperty(TrimtabExtension.CRASH, seed == null ? "" : seed.crash());
        String schedule = System.getProperty(TrimtabExtension.SCHEDULE, seed == null ? "" : seed.schedule());
        Run only = null;
        if (!crash.isBlank()) {
            only = new Run(first, Set.of(), CrashPoint.parse(crash), null);
        } else if (!schedule.isBlank()) {
            only = new Run(first, Set.of(), null, Schedule.parse(schedule));
        } else if (seed != null || System.getProperty(TrimtabExtension.SEED) != null) {
            only = faults.isEmpty() ? null : RunSequence.faulty(first, faults);
        }
        return new RunSequence(new RunSequence.Settings(first, crashes, atMost, faults, runs, orders), only);
    }

    private static int runsOf(Annotation annotation) {
        try {
            return (Integer) annotation.annotationType().getMethod("runs").invoke(annotation);
        } catch (ReflectiveOperationException e) {
            return 10;
        }
    }

    static @org.jspecify.annotations.Nullable Seed seedOf(ExtensionContext context) {
        for (ExtensionContext at = context; at != null; at = at.getParent().orElse(null)) {
            var found = AnnotationSupport.findAnnotation(at.getElement(), Seed.class);
            if (found.isPresent()) {
                return found.get();
            }
        }
        return null;
    }
}
