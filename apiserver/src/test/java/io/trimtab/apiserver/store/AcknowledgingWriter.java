package io.trimtab.apiserver.store;

import io.trimtab.runtime.RealDriver;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** A process that writes with eight threads until it is killed, and says what the store acknowledged: key, revision, value. */
final class AcknowledgingWriter {
    private AcknowledgingWriter() {}

    public static void main(String[] args) {
        RocksStore store = RocksStore.open(Path.of(args[0]), RealDriver.create());
        PrintStream out = System.out;
        for (int t = 0; t < 8; t++) {
            int thread = t;
            new Thread(() -> {
                        for (int i = 0; ; i++) {
                            String key = "/t" + thread + "/" + i;
                            String value = "value-" + thread + "-" + i;
                            long revision = store.commit(List.of(StoreContract.put(key, 0, value)))
                                    .join()
                                    .revision();
                            synchronized (out) {
                                out.println(key + " " + revision + " " + value + " .");
                                out.flush();
                            }
                        }
                    })
                    .start();
        }
    }
}
