// Both flavours were laid out; the one that was not asked for goes.
def project = new File(request.getOutputDirectory(), request.getArtifactId())
def source = new File(project, "src/main/java/" + request.getProperties().getProperty("package").replace('.', '/'))
def kind = request.getProperties().getProperty("kind")
def unwanted = request.getProperties().getProperty("flavour") == "josdk" ? kind + "Controller.java" : kind + "Reconciler.java"
new File(source, unwanted).delete()
