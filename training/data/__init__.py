"""What a training looks at: photos and paintings."""
