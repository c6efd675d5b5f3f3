"""The key's and the certificate's own bytes: nothing leaves the machine."""
