"""Backbones by name. A new one is a class of `Backbone` in a file of its own and a line here.

`width` and `depth` make small ones: at 0.25 and 0.34 all train on a processor, on pictures of 64 to 128 pixels.
Weights start at random; none are downloaded.
"""

from __future__ import annotations

from rehabmotion.models.direct.backbone_convnext import ConvNeXt
from rehabmotion.models.direct.backbone_mobile import EfficientNet, MobileNetV3
from rehabmotion.models.direct.backbone_mobileone import MobileOne
from rehabmotion.models.direct.backbone_parts import Backbone
from rehabmotion.models.direct.backbone_resnet import ResNet18, ResNet50, ResNeXt50
from rehabmotion.models.direct.backbone_vit import ViT

BACKBONES: dict[str, type[Backbone]] = {
    "resnext50": ResNeXt50,
    "resnet18": ResNet18,
    "resnet50": ResNet50,
    "convnext": ConvNeXt,
    "efficientnet": EfficientNet,
    "mobilenetv3": MobileNetV3,
    "mobileone": MobileOne,
    "vit": ViT,
}
