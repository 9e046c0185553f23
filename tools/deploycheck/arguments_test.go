// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploycheck

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func program(t *testing.T, name string) string {
	t.Helper()
	bin := os.Getenv("BIN")
	if bin == "" {
		t.Fatal("BIN is not set; run make test-deploy")
	}
	return filepath.Join(bin, name)
}

// mounted is a directory with the files that the pods' volumes bring.
func mounted(t *testing.T, o objects, pod corev1.PodSpec) string {
	t.Helper()
	root := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What somebody else's ConfigMaps and Secrets hold.
	certificate, key := selfSigned(t)
	write("/run/secrets/hedera-mirror/token", "token")
	write("/run/secrets/hedera-tls/tls.crt", certificate)
	write("/run/secrets/hedera-tls/tls.key", key)
	write("/etc/hedera_exporter/hedera_exporter.yml", "networks: {mainnet: {}}")
	write("/etc/hedera_exporter_web/web-config.yml", "tls_server_config: {cert_file: /run/secrets/hedera-tls/tls.crt, key_file: /run/secrets/hedera-tls/tls.key}")
	for _, volume := range pod.Volumes {
		index := slices.IndexFunc(pod.Containers[0].VolumeMounts, func(mount corev1.VolumeMount) bool { return mount.Name == volume.Name })
		path := pod.Containers[0].VolumeMounts[index].MountPath
		for _, configMap := range all[*corev1.ConfigMap](o) {
			if volume.ConfigMap != nil && volume.ConfigMap.Name == configMap.Name {
				for name, content := range configMap.Data {
					write(filepath.Join(path, name), content)
				}
			}
		}
		for _, secret := range all[*corev1.Secret](o) {
			if volume.Secret != nil && volume.Secret.SecretName == secret.Name {
				for name, content := range secret.Data {
					write(filepath.Join(path, name), string(content))
				}
			}
		}
	}
	// As if the root were /.
	for _, name := range []string{"/etc/hedera_exporter/hedera_exporter.yml", "/etc/hedera_exporter_web/web-config.yml"} {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		write(name, strings.ReplaceAll(string(content), "/run/secrets", root+"/run/secrets"))
	}
	return root
}

func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, bytes []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
	}
	return block("CERTIFICATE", der), block("PRIVATE KEY", pkcs8)
}

// arguments are those of the last pod, with its files below root.
func arguments(root string, container corev1.Container) (args []string) {
	for _, argument := range container.Args {
		argument = strings.ReplaceAll(argument, "=/etc/hedera_exporter", "="+root+"/etc/hedera_exporter")
		args = append(args, strings.ReplaceAll(argument, "$(POD_NAME)", "release-hedera-exporter-1"))
	}
	return args
}

// TestExporterTakesItsArguments checks each rendered configuration by the
// program itself.
func TestExporterTakesItsArguments(t *testing.T) {
	sets := valueSets(t)
	for name, v := range sets {
		o := rendered(t, v)
		pod := podTemplate(t, o).Spec
		args := append(arguments(mounted(t, o, pod), pod.Containers[0]), "--config.check")
		if text, err := exec.CommandContext(t.Context(), program(t, "hedera_exporter"), args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %v\n%s", name, args, err, text)
		}
	}
	container := podTemplate(t, rendered(t, sets["everything"])).Spec.Containers[0]
	if field := container.Env[0].ValueFrom.FieldRef.FieldPath; container.Env[0].Name != "POD_NAME" || field != "metadata.name" {
		t.Errorf("POD_NAME is %s", field)
	}
	if !slices.Contains(container.Args, "--total-shards=3") {
		t.Errorf("arguments %v of three shards", container.Args)
	}
}

// TestProbesOfTLS starts the exporter as the pod with TLS and a password does, and
// has its probes find it well, and then gone.
func TestProbesOfTLS(t *testing.T) {
	o := rendered(t, valueSets(t)["everything"])
	pod := podTemplate(t, o).Spec
	container := pod.Containers[0]
	address := freeAddress(t)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	config := filepath.Join(t.TempDir(), "c.yml") // of a mirror that is nowhere
	if err := os.WriteFile(config, []byte("networks: {local: {mirror: {url: 'http://127.0.0.1:1'}}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append(arguments(mounted(t, o, pod), container), "--config.file="+config, "--web.listen-address="+address)
	args = slices.DeleteFunc(args, func(arg string) bool {
		return strings.HasPrefix(arg, "--config.file=") && !strings.HasSuffix(arg, config)
	})
	exporter := exec.CommandContext(ctx, program(t, "hedera_exporter"), args...)
	exporter.Stderr = t.Output()
	if err := exporter.Start(); err != nil {
		t.Fatal(err)
	}
	probe := func(handler *corev1.Probe) error {
		command := slices.Clone(handler.Exec.Command)
		for i, argument := range command {
			command[i] = strings.ReplaceAll(argument, "127.0.0.1:10102", address)
		}
		text, err := exec.CommandContext(t.Context(), program(t, filepath.Base(command[0])), command[1:]...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%v: %w: %s", command, err, text)
		}
		return nil
	}
	deadline := time.Now().Add(startup)
	for probe(container.ReadinessProbe) != nil && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	for _, handler := range []*corev1.Probe{container.LivenessProbe, container.ReadinessProbe} {
		if err := probe(handler); err != nil {
			t.Error(err)
		}
	}
	stop()
	_ = exporter.Wait() // killed
	if probe(container.LivenessProbe) == nil {
		t.Error("the probe finds well what does not run")
	}
}
