"""What technicians run beside the daemon."""
