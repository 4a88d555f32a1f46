"""The local stores that replace Azure's stores on one machine; each module returns one `Store`."""
