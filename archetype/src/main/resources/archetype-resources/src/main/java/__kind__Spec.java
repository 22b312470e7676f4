package ${package};

import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;

/** What the user wants. Defaults belong in annotations: the server fills them in. */
public class ${kind}Spec {
    @Required
    private String message;

    @Default("1")
    private Integer copies;

    public String getMessage() {
        return message;
    }

    public void setMessage(String message) {
        this.message = message;
    }

    public Integer getCopies() {
        return copies;
    }

    public void setCopies(Integer copies) {
        this.copies = copies;
    }
}
