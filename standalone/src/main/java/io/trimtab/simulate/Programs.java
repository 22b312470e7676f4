package io.trimtab.simulate;

import io.trimtab.controller.Controller;
import io.trimtab.controller.ControllerProvider;
import io.trimtab.controller.Manager;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;

/**
 * Finds controllers and node stores in the user's own archives. What an archive shares with Trimtab is Trimtab's. Stateless.
 *
 * @since 0.1
 */
public final class Programs {
    private Programs() {}

    /** Classes of these archives, above ours; they live as long as the program. */
    public static ClassLoader loader(List<Path> jars) {
        List<URL> urls = new ArrayList<>();
        for (Path jar : jars) {
            if (!Files.exists(jar)) {
                throw new SimulationException("--jar " + jar + " does not exist");
            }
            try {
                urls.add(jar.toUri().toURL());
            } catch (MalformedURLException e) {
                throw new SimulationException("--jar " + jar + ": " + e.getMessage(), e);
            }
        }
        ClassLoader own = Programs.class.getClassLoader();
        return urls.isEmpty() ? own : new URLClassLoader(urls.toArray(URL[]::new), own);
    }

    /** All controllers that an archive announces: those of {@code META-INF/services}. */
    public static List<ControllerProvider> controllers(ClassLoader loader) {
        List<ControllerProvider> found = new ArrayList<>();
        ServiceLoader.load(ControllerProvider.class, loader).forEach(found::add);
        return found;
    }

    /**
     * The controller of a class: a {@link ControllerProvider}, or one with a method
     * {@code public static Controller controller(Manager)}.
     */
    public static ControllerProvider controller(ClassLoader loader, String className) {
        try {
            Class<?> type = Class.forName(className, true, loader);
            if (ControllerProvider.class.isAssignableFrom(type)) {
                return (ControllerProvider) type.getDeclaredConstructor().newInstance();
            }
            Method method = type.getMethod("controller", Manager.class);
            if (!Modifier.isStatic(method.getModifiers()) || method.getReturnType() != Controller.class) {
                throw new NoSuchMethodException();
            }
            return manager -> {
                try {
                    return (Controller) method.invoke(null, manager);
                } catch (InvocationTargetException e) {
                    throw new SimulationException(
                            "the controller of " + className + " cannot be made: " + e.getCause(), e);
                } catch (IllegalAccessException e) {
                    throw new SimulationException(className + " is not public", e);
                }
            };
        } catch (ClassNotFoundException e) {
            throw new SimulationException(
                    "there is no class " + className + "; give the archive that has it by --jar FILE", e);
        } catch (ReflectiveOperationException e) {
            throw new SimulationException(
                    className
                            + ": expected a class that implements io.trimtab.controller.ControllerProvider, or a method"
                            + " public static Controller controller(Manager)",
                    e);
        }
    }

    /** @param text {@code NAME} or {@code NAME=ARGUMENT} */
    public static NodeStore nodeStore(ClassLoader loader, String text) {
        int sign = text.indexOf('=');
        String name = sign < 0 ? text : text.substring(0, sign);
        List<String> known = new ArrayList<>();
        for (NodeStore store : ServiceLoader.load(NodeStore.class, loader)) {
            known.add(store.name());
            if (store.name().equals(name)) {
                try {
                    store.open(sign < 0 ? "" : text.substring(sign + 1));
                } catch (IllegalArgumentException e) {
                    throw new SimulationException("--node-store " + text + ": " + e.getMessage(), e);
                }
                return store;
            }
        }
        throw new SimulationException("--node-store: there is no \"" + name + "\""
                + (known.isEmpty()
                        ? "; give the archive that has it by --jar FILE"
                        : " among " + String.join(", ", known)));
    }
}
