package demo

import (
	"context"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

var (
	env *envtest.Environment
	cfg *rest.Config
)

func TestMain(m *testing.M) {
	log.SetLogger(zap.New())
	env = &envtest.Environment{CRDDirectoryPaths: []string{"crds"}, ErrorIfCRDPathMissing: true}
	began := time.Now()
	var err error
	if cfg, err = env.Start(); err != nil {
		panic(err)
	}
	println("control plane and definitions ready after", time.Since(began).Milliseconds(), "ms")
	ctx, cancel := context.WithCancel(context.Background())
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{Metrics: metricsserver.Options{BindAddress: "0"}})
	if err != nil {
		panic(err)
	}
	if err := (&WebReconciler{mgr.GetClient()}).SetupWithManager(mgr); err != nil {
		panic(err)
	}
	go func() {
		if err := mgr.Start(ctx); err != nil {
			panic(err)
		}
	}()
	code := m.Run()
	cancel()
	if err := env.Stop(); err != nil {
		println("stop:", err.Error())
		code = 1
	}
	os.Exit(code)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal("not within 20 s: " + what)
}

func web(name string, size int64) *unstructured.Unstructured {
	web := newWeb()
	web.SetName(name)
	web.SetNamespace("default")
	_ = unstructured.SetNestedField(web.Object, size, "spec", "size")
	return web
}

func direct(t *testing.T) client.Client {
	t.Helper()
	c, err := client.New(cfg, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWebGetsItsConfigMap(t *testing.T) {
	ctx, c := context.Background(), direct(t)
	if err := c.Create(ctx, web("one", 3)); err != nil {
		t.Fatal(err)
	}
	config := &corev1.ConfigMap{}
	key := client.ObjectKey{Namespace: "default", Name: "one"}
	eventually(t, "ConfigMap", func() bool { return c.Get(ctx, key, config) == nil && config.Data["size"] == "3" })
	if owner := metav1.GetControllerOf(config); owner == nil || owner.Kind != "Web" {
		t.Fatalf("owner %v", owner)
	}
	patched := web("one", 5)
	if err := c.Patch(ctx, patched, client.Apply, client.FieldOwner("test"), client.ForceOwnership); err != nil {
		t.Fatal(err)
	}
	eventually(t, "new size", func() bool { return c.Get(ctx, key, config) == nil && config.Data["size"] == "5" })
	now := newWeb()
	eventually(t, "status", func() bool {
		size := int64(0)
		if c.Get(ctx, key, now) == nil {
			size, _, _ = unstructured.NestedInt64(now.Object, "status", "size")
		}
		return size == 5
	})
	if err := c.Delete(ctx, now); err != nil {
		t.Fatal(err)
	}
	eventually(t, "finalized", func() bool { return apierrors.IsNotFound(c.Get(ctx, key, now)) })
}

func TestInvalidIsRefused(t *testing.T) {
	err := direct(t).Create(context.Background(), web("large", 101))
	if !apierrors.IsInvalid(err) {
		t.Fatalf("expected a refusal by the schema, got %v", err)
	}
}

func TestUsersHaveTheirRights(t *testing.T) {
	ctx, admin := context.Background(), direct(t)
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "web-reader"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"example.com"}, Resources: []string{"webs"}, Verbs: []string{"list"}}},
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "web-reader"},
		RoleRef:    rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "web-reader"},
		Subjects:   []rbacv1.Subject{{APIGroup: "rbac.authorization.k8s.io", Kind: "Group", Name: "readers"}},
	}
	for _, object := range []client.Object{role, binding} {
		if err := admin.Create(ctx, object); err != nil {
			t.Fatal(err)
		}
	}
	user, err := env.AddUser(envtest.User{Name: "reader", Groups: []string{"readers"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := client.New(user.Config(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	webs := &unstructured.UnstructuredList{}
	webs.SetGroupVersionKind(webKind)
	eventually(t, "list", func() bool { return reader.List(ctx, webs) == nil })
	if err := reader.Create(ctx, web("no", 1)); !apierrors.IsForbidden(err) {
		t.Fatalf("expected Forbidden, got %v", err)
	}
}

func TestServerFindsItsObjectsAfterARestart(t *testing.T) {
	ctx, c := context.Background(), direct(t)
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept", Namespace: "default"}}
	if err := c.Create(ctx, kept); err != nil {
		t.Fatal(err)
	}
	server := env.ControlPlane.GetAPIServer()
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	// The stop removed the certificates: the new ones are of a new authority.
	user, err := env.ControlPlane.AddUser(envtest.User{Name: "again", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := client.New(user.Config(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found := &corev1.ConfigMap{}
	if err := again.Get(ctx, client.ObjectKeyFromObject(kept), found); err != nil || found.UID != kept.UID {
		t.Fatalf("found %v, %v", found.UID, err)
	}
}
