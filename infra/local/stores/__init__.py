"""The stores that replace Azure's on one machine; each module returns one `Store`."""
