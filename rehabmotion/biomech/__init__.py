"""The musculoskeletal skeleton: what a model is made of, where its coordinates put it, and which coordinates fit."""
