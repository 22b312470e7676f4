package io.trimtab.controllers.podautoscaler;

import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.math.RoundingMode;

/** Quantities as thousandths, the unit the autoscaler calculates in, and back. */
final class Amount {
    private static final String[] BINARY = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

    private Amount() {}

    static long milli(Quantity quantity) {
        return quantity.getNumericalAmount()
                .multiply(BigDecimal.valueOf(1000))
                .setScale(0, RoundingMode.CEILING)
                .longValue();
    }

    /** In Kubernetes' canonical form for numbers. */
    static Quantity decimal(long milli) {
        return new Quantity(milli % 1000 == 0 ? Long.toString(milli / 1000) : milli + "m");
    }

    /** In Kubernetes' canonical form for sizes: of whole bytes, the largest unit that divides them. */
    static Quantity size(long milli) {
        if (milli % 1000 != 0) {
            return decimal(milli);
        }
        long bytes = milli / 1000;
        int unit = 0;
        while (unit < BINARY.length - 1 && bytes != 0 && bytes % 1024 == 0) {
            bytes /= 1024;
            unit++;
        }
        return new Quantity(bytes + BINARY[unit]);
    }
}
