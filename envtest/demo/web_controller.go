// Package demo is an operator as kubebuilder makes them, small: a Web owns a ConfigMap.
package demo

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const finalizer = "example.com/web"

var webKind = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Web"}

func newWeb() *unstructured.Unstructured {
	web := &unstructured.Unstructured{}
	web.SetGroupVersionKind(webKind)
	return web
}

// WebReconciler keeps a ConfigMap for each Web, and tells in its status that it is there.
type WebReconciler struct{ client.Client }

// SetupWithManager says what wakes it.
func (r *WebReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).For(newWeb()).Owns(&corev1.ConfigMap{}).Complete(r)
}

// Reconcile looks at one Web.
func (r *WebReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	web := newWeb()
	if err := r.Get(ctx, req.NamespacedName, web); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if web.GetDeletionTimestamp() != nil {
		if controllerutil.RemoveFinalizer(web, finalizer) {
			return ctrl.Result{}, r.Update(ctx, web)
		}
		return ctrl.Result{}, nil
	}
	if controllerutil.AddFinalizer(web, finalizer) {
		if err := r.Update(ctx, web); err != nil {
			return ctrl.Result{}, err
		}
	}
	size, _, _ := unstructured.NestedInt64(web.Object, "spec", "size")
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: web.GetName(), Namespace: web.GetNamespace()}}
	if _, err := controllerutil.CreateOrUpdate(ctx, r.Client, config, func() error {
		config.Data = map[string]string{"size": fmt.Sprint(size)}
		return controllerutil.SetControllerReference(web, config, r.Scheme())
	}); err != nil {
		return ctrl.Result{}, err
	}
	if observed, _, _ := unstructured.NestedInt64(web.Object, "status", "size"); observed == size {
		return ctrl.Result{}, nil
	}
	if err := unstructured.SetNestedField(web.Object, size, "status", "size"); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.Status().Update(ctx, web)
}
