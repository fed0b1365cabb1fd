"""What monitoring reads: figures of queue, builds, publishing and pipelines, for Prometheus."""
